"""A decoder of ours as a checkpoint that transformers reads."""

import json
from pathlib import Path

from torch import nn

from moebench.interop.architecture import Architecture
from moebench.interop.architectures import ARCHITECTURES
from moebench.interop.config import FILE, common
from moebench.interop.parts import Parts, parts_of
from moebench.interop.tensors import INDEX, SINGLE, write_shards

SHARD_BYTES = 5_000_000_000


def save_pretrained(model: nn.Module, path: str | Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Write `config.json` and the weights into a folder, in shards where they are many.

    One tensor at a time is copied; the configuration is written last, so a folder that has one has
    all weights. The architecture is found from the parts of the model.

    Args:
        model: a `Mixtral` whose parts are those of a supported architecture.
        path: the folder, made if need be; a checkpoint that is there is replaced.
        shard_bytes: most bytes of weights in one file.

    Raises:
        ValueError: if no supported architecture has these parts.
    """
    parts = parts_of(model)
    architecture = architecture_of(parts)
    settings = architecture.settings(parts)
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [folder / FILE, folder / INDEX, folder / SINGLE, *folder.glob("model-*-of-*")]:
        old.unlink(missing_ok=True)
    state = parts.model.state_dict()
    pieces = architecture.pieces(parts.model)
    write_shards(folder, ((piece.theirs, piece.view(state)) for piece in pieces), shard_bytes)
    shape, positions = parts.model.shape, parts.model.positions
    config = {
        "architectures": [architecture.class_name],
        "model_type": architecture.model_type,
        "dtype": str(parts.model.embedding.weight.dtype).removeprefix("torch."),
        **common(parts.model.embedding.num_embeddings, shape, positions),
        **settings,
    }
    (folder / FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def architecture_of(parts: Parts) -> Architecture:
    """Return the architecture that a model is; ValueError if it is none."""
    for architecture in ARCHITECTURES.values():
        if architecture.fits(parts):
            return architecture
    names = [type(part).__name__ for part in (parts.attention, parts.router, parts.shared)]
    raise ValueError(
        f"Mixtral: no supported architecture has {names[0]} as it is here with the router "
        f"{names[1]} and shared experts {names[2]}; there are {', '.join(ARCHITECTURES)}"
    )
