"""A trained model with its tokens: a run of ours whose weights were kept, or a checkpoint."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from moebench.baselines import lift_capacity
from moebench.data.text import Text
from moebench.data.tokenizer import EOS, published
from moebench.experiment import Experiment
from moebench.interop import from_pretrained
from moebench.interop.config import FILE as CONFIG

WEIGHTS = "last.ckpt"


@dataclass(frozen=True)
class Trained:
    """A model that continues text.

    Args:
        model: in evaluation mode.
        encode: text to ids.
        decode: ids to text.
        context: tokens that it was made for, prompt and continuation together.
        ends: ids after which there is nothing more to say.
    """

    model: nn.Module
    encode: Callable[[str], list[int]]
    decode: Callable[[Sequence[int]], str]
    context: int
    ends: Collection[int]

    def room(self, prompt: Sequence[int], wanted: int) -> int:
        """Return how many tokens may follow a prompt, at most as many as wanted.

        Raises:
            ValueError: for a prompt that fills the context, or if none is wanted.
        """
        if wanted < 1:
            raise ValueError(f"tokens={wanted}: must be at least 1")
        if len(prompt) >= self.context:
            raise ValueError(
                f"prompt: has {len(prompt)} tokens, the model a context of {self.context}; "
                "leave room for at least one more"
            )
        return min(wanted, self.context - len(prompt))


def open_trained(folder: Path) -> Trained:
    """Return the model in a folder.

    Args:
        folder: of a run, with `config.json` and `last.ckpt` (`moebench fit` keeps the weights), or
            of a checkpoint with safetensors files and `tokenizer.json`.

    Raises:
        FileNotFoundError: naming the file that is missing.
        ValueError: for a model that does not continue text, or a checkpoint that cannot be read.
    """
    path = folder / CONFIG
    if not path.exists():
        raise FileNotFoundError(f"{path}: missing; expected the folder of a run or a checkpoint")
    config = json.loads(path.read_text(encoding="utf-8"))
    return _of_checkpoint(folder, config) if "model_type" in config else _of_run(folder, config)


def _of_checkpoint(folder: Path, config: dict[str, Any]) -> Trained:
    """Return a checkpoint of the kind that transformers writes."""
    names = folder / "tokenizer.json"
    if not names.exists():
        raise FileNotFoundError(f"{names}: missing; without it there is no text")
    encode, decode = published(names)
    ends = config.get("eos_token_id")
    return Trained(
        model=from_pretrained(folder),
        encode=encode,
        decode=decode,
        context=int(config.get("max_position_embeddings", 2048)),
        ends=ends if isinstance(ends, list) else [] if ends is None else [ends],
    )


def _of_run(folder: Path, config: dict[str, Any]) -> Trained:
    """Return the model of a run of ours."""
    weights = folder / WEIGHTS
    if not weights.exists():
        raise FileNotFoundError(
            f"{weights}: missing; a finished run of a reproduction or a sweep keeps its record "
            "alone, `moebench fit` keeps the weights as well"
        )
    module, data, _ = Experiment(config).build(logger=False, enable_checkpointing=False)
    if not isinstance(data, Text) or hasattr(module.network, "encoder"):
        raise ValueError(f"{folder}: its model does not continue text; a decoder of text does")
    data.prepare_data()
    data.setup()
    state = torch.load(weights, weights_only=True, map_location="cpu")
    module.load_state_dict(state["state_dict"])
    lift_capacity(module)  # room is a share of a batch, and here there is a token at a time
    tokenizer = data.tokenizer
    return Trained(
        model=module.network.eval(),
        encode=lambda text: next(iter(tokenizer.encode([text]))),
        decode=tokenizer.decode,
        context=data.length,
        ends=[EOS],
    )
