"""Writes a decoder as a checkpoint that transformers reads."""

import json
import logging
from pathlib import Path
from typing import Any

from torch import nn

from moebench.interop.architecture import Architecture
from moebench.interop.architectures import ARCHITECTURES
from moebench.interop.config import FILE, common, read_json
from moebench.interop.decoder_parts import Parts, parts_of
from moebench.interop.described import check_described
from moebench.interop.kept import copy_files, kept_settings
from moebench.interop.read_back import check_written
from moebench.interop.rope import rope_settings
from moebench.interop.tensors import INDEX, SINGLE, write_shards
from moebench.models.decoder import RotaryDecoder

SHARD_BYTES = 5_000_000_000
log = logging.getLogger(__name__)


def save_pretrained(
    model: nn.Module,
    path: str | Path,
    shard_bytes: int = SHARD_BYTES,
    like: str | Path | None = None,
) -> None:
    """Write `config.json` and the weights into a folder, in shards if they are large.

    One tensor at a time is copied; the configuration is written last, so a folder that has one has
    all weights. The architecture is found from the parts of the model, and the configuration must
    describe every one of them. Then the folder is read again and must give the same weights and,
    for a few tokens, the same logits; if memory cannot hold the model twice, a warning says that
    this was not checked.

    Args:
        model: a `RotaryDecoder` whose parts are those of a supported architecture.
        path: the folder, created if needed; a checkpoint in it is replaced.
        shard_bytes: most bytes of weights in one file.
        like: a checkpoint whose special tokens, tokenizer, generation settings and, in the same
            architecture, settings of training are kept; None: the one that the model was read
            from, if any.

    Raises:
        FileNotFoundError: if `like` is not a checkpoint.
        ValueError: if no supported architecture has these parts or config.json cannot express a
            property of one, before anything is written; or if what was written reads differently.
    """
    parts = parts_of(model)
    source = Path(like) if like is not None else _source(parts.model)
    architecture = architecture_of(parts, source)
    config = settings_of(parts, architecture, source)
    check_described(parts.model, architecture, config)
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [folder / FILE, folder / INDEX, folder / SINGLE, *folder.glob("model-*-of-*")]:
        old.unlink(missing_ok=True)
    state = parts.model.state_dict()
    mappings = architecture.mappings(parts.model)
    write_shards(
        folder, ((mapping.theirs, mapping.view(state)) for mapping in mappings), shard_bytes
    )
    if source is not None:
        copy_files(source, folder)
    (folder / FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    check_written(parts.model, folder)


def settings_of(parts: Parts, architecture: Architecture, like: Path | None) -> dict[str, Any]:
    """Return all settings for config.json.

    Raises:
        ValueError: if the weights have several dtypes, of which it names one.
    """
    model = parts.model
    dtypes = {
        tensor.dtype
        for name, tensor in model.named_parameters()
        if not name.endswith(architecture.exact)
    }
    if len(dtypes) > 1:
        names = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
        raise ValueError(
            f"RotaryDecoder: its weights are {names}; a checkpoint has them in one type"
        )
    vocabulary = model.embedding.num_embeddings
    return {
        "architectures": [architecture.class_name],
        "model_type": architecture.model_type,
        "dtype": str(dtypes.pop()).removeprefix("torch."),
        **kept_settings(like, architecture.model_type, vocabulary),
        **common(vocabulary, model.shape),
        "max_position_embeddings": model.positions.context,
        **rope_settings(model.positions),
        **architecture.settings(parts),
    }


def _source(model: RotaryDecoder) -> Path | None:
    """Return the checkpoint that a model was read from, None if there is none or it is gone."""
    source = model.source
    if source is not None and not (source / FILE).is_file():
        log.warning("%s: no longer exists; its special tokens and tokenizer are not kept", source)
        return None
    return source


def architecture_of(parts: Parts, like: Path | None = None) -> Architecture:
    """Return the architecture of a model, preferably that of `like`.

    Raises:
        ValueError: if no architecture fits.
    """
    kinds = [architecture for architecture in ARCHITECTURES.values() if architecture.fits(parts)]
    wanted = None if like is None else read_json(like).get("model_type")
    for architecture in sorted(kinds, key=lambda kind: kind.model_type != wanted):
        return architecture
    names = [type(part).__name__ for part in (parts.attention, parts.router, parts.shared)]
    raise ValueError(
        f"RotaryDecoder: no supported architecture has this {names[0]} with the router {names[1]} "
        f"and shared experts {names[2]}; there are {', '.join(ARCHITECTURES)}"
    )
