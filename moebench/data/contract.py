"""Everything that training asks of a data module and its batches.

A data module is a LightningDataModule with `train_dataloader` and `val_dataloader`, each of which
returns one iterable of batches (not a list, which Lightning takes for several), and

| part | meaning |
| --- | --- |
| argument `seed` | seed of all that is random in training batches; gets the run's |
| `content_hash` | str: a digest of the content, whatever the seed |
| `tokens_per_batch` | int: tokens of a full training batch, or their equivalent |

Data of tokens, which `Training` and the models here read, also have

| part | meaning |
| --- | --- |
| argument and attribute `vocabulary` | number V of ids; the model gets it |
| batches | `TextBatch`, or anything with its fields |

A data module may also have

| part | without it |
| --- | --- |
| `version`, int: raised when the same source gives other batches | it is 1 |
| `metrics`, dict of numbers to add to the record | nothing is added |
| `domains`, tuple of names, and `domain_B` of its batches | routing is not analysed by domain |
| `tokenizer`, `length` and `source`, as `Text` has | its model generates no text |
| `description`, a `moebench.data.corpus.Corpus` | `moebench data` cannot describe it |
| `state_dict`, `load_state_dict` and a length, of the training loader | a killed run starts over |

Where several devices train one run, each has a data module of its own, and all must give the same
batches: `Training` takes a device's rows from each batch, so every tensor of it has B rows.

They are read after `prepare_data()` and `setup("fit")`. A batch of tokens has B sequences of up to
L tokens each, those of an encoder have up to S; ids are int64 and masks are bool.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

UNSCORED = -100  # a target that the loss ignores
CONTRACT = "moebench/data/contract.py"  # named in error messages


class TextBatch(NamedTuple):
    """B sequences of tokens as a model sees them."""

    input_BL: Tensor  # int64: what the decoder reads
    target_BL: Tensor  # int64: what it should predict; UNSCORED where it is ignored, as at padding
    context_BL: Tensor | None  # int64, BxS: what the encoder reads; None without an encoder
    domain_B: Tensor  # int64: number of each sequence's domain
    mask_BL: Tensor | None = None  # bool: which inputs are real; None if all are
    context_mask_BL: Tensor | None = None  # bool, BxS: the same for the context


class TokenBatch(Protocol):
    """What training and models read of every batch; other fields of `TextBatch` are optional."""

    @property
    def input_BL(self) -> Tensor:
        """Ids that the decoder reads."""
        ...

    @property
    def target_BL(self) -> Tensor:
        """Ids that it should predict, or UNSCORED."""
        ...

    @property
    def context_BL(self) -> Tensor | None:
        """Ids that the encoder reads; None without an encoder."""
        ...


OF_MODULE = {
    "content_hash": "a digest of the content",
    "tokens_per_batch": "the tokens of a full training batch",
    "train_dataloader": "the training batches",
    "val_dataloader": "the validation batches",
}
OF_BATCH = {
    "input_BL": "the ids that the decoder reads",
    "target_BL": "the ids that it should predict",
    "context_BL": "the ids that the encoder reads, or None",
}
FOR_ANALYSIS = {"vocabulary": "the number of ids", "domains": "the names of the domains"}


def check_module(data: Any, parts: Mapping[str, str] = OF_MODULE) -> None:
    """Refuse a data module that lacks a part after its setup.

    Raises:
        ValueError: naming the part.
    """
    # Lightning's base class also has loaders, but they only raise.
    own = {name for kind in type(data).__mro__ if not _of_lightning(kind) for name in vars(kind)}
    for name, meaning in parts.items():
        if not (name in own or name in vars(data)):
            kind = type(data).__name__
            raise ValueError(f"data={kind}: has no {name} ({meaning}), see {CONTRACT}")


def loader_of(data: Any, name: str) -> Any:
    """Return what a method of a data module returns as its loader.

    Raises:
        ValueError: for a list, tuple or map, which Lightning takes for several loaders.
    """
    loader = getattr(data, name)()
    if isinstance(loader, list | tuple | Mapping):
        owner, kind = type(data).__name__, type(loader).__name__
        raise ValueError(
            f"data={owner}: {name} returns a {kind}, which Lightning takes for several loaders; "
            f"wrap it, as in DataLoader(batches, batch_size=None), see {CONTRACT}"
        )
    return loader


def _of_lightning(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("pytorch_lightning", "lightning")


def check_batch(batch: Any) -> None:
    """Refuse a batch of tokens with a part missing, or one of the wrong shape or dtype.

    Raises:
        ValueError: naming the part.
    """
    for name, meaning in OF_BATCH.items():
        if not hasattr(batch, name):
            kind = type(batch).__name__
            raise ValueError(f"data: a batch ({kind}) has no {name} ({meaning}), see {CONTRACT}")
        part = getattr(batch, name)
        if part is None and name == "context_BL":
            continue
        if not isinstance(part, Tensor) or part.ndim != 2 or part.dtype != torch.int64:
            found = f"{part.dtype} of {part.ndim} dimensions" if isinstance(part, Tensor) else part
            message = f"data: {name} of a batch is {found}; must be int64 BxL"
            raise ValueError(f"{message}, see {CONTRACT}")
    if batch.target_BL.shape != batch.input_BL.shape:
        ours, theirs = tuple(batch.target_BL.shape), tuple(batch.input_BL.shape)
        raise ValueError(
            f"data: target_BL of a batch has the shape {ours}; must be {theirs}, as of input_BL, "
            f"see {CONTRACT}"
        )
