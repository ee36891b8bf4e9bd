"""What a rewritten checkpoint keeps from the original, besides the decoder itself.

These are the ids of special tokens, settings of training and generation, and the tokenizer's files.
"""

import shutil
from pathlib import Path
from typing import Any

from moebench.interop.config import FILE, read_json

SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id")  # which transformers requires
TRAINING = (  # kept if the architecture is the same
    "attention_dropout",
    "aux_loss_alpha",
    "initializer_range",
    "output_router_logits",
    "pretraining_tp",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "seq_aux",
    "use_cache",
)
FILES = (
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
)


def kept_settings(like: Path | None, model_type: str, vocabulary: int) -> dict[str, Any]:
    """Return the settings to keep from a checkpoint; without one, null for all special tokens.

    Raises:
        FileNotFoundError: if it is not a checkpoint.
        ValueError: if its vocabulary has another size, so that its ids mean other tokens.
    """
    if like is None:
        return dict.fromkeys(SPECIAL)
    given = read_json(like)
    if given.get("vocab_size", vocabulary) != vocabulary:
        raise ValueError(
            f"{like / FILE}: vocab_size={given['vocab_size']}, but the model has {vocabulary} "
            "tokens, so its special tokens and tokenizer do not fit"
        )
    training = TRAINING if given.get("model_type") == model_type else ()
    return {name: given[name] for name in given if name.endswith("_id") or name in training}


def copy_files(like: Path, folder: Path) -> None:
    """Copy the tokenizer and the settings of generation from one checkpoint to another."""
    if like.resolve() == folder.resolve():
        return
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
        if (like / name).is_file():
            shutil.copyfile(like / name, folder / name)
