"""How much of the validation text occurs in the training text, word for word.

The measure is the share of the runs of 32 tokens in the validation documents that also occur in
a training document, of any domain.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moebench.data.separation.ngrams import Hashes, common, contained, run_hashes
from moebench.data.tokenizer import EOS

Tokens = NDArray[np.unsignedinteger[Any]]

_DOUBLINGS = 5
RUN = 2**_DOUBLINGS  # tokens
_AT_ONCE = 2**20  # training tokens
WORTH_A_WARNING = 0.01


@dataclass(frozen=True)
class Overlap:
    """The runs of `RUN` tokens in the validation documents of each domain."""

    shared: list[int]  # how many of them occur in the training text
    runs: list[int]

    @property
    def total(self) -> float:
        """The share in all domains together; NaN if no document is as long as a run."""
        return _share(sum(self.shared), sum(self.runs))

    @property
    def by_domain(self) -> list[float]:
        """The share in each domain."""
        return list(map(_share, self.shared, self.runs))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def overlap(train: Tokens, valid: Tokens, sizes: list[int]) -> Overlap:
    """Measure the overlap of token files, in which each document ends with EOS.

    Args:
        train: the ids of the training split.
        valid: the ids of the validation split, one domain after the other.
        sizes: tokens of each domain of the validation split.
    """
    parts = [_runs(part) for part in np.split(valid, np.cumsum(sizes)[:-1])]
    shared = common(np.concatenate(parts), map(_runs, _chunks(train)))
    counts = [int(contained(part, shared).sum()) for part in parts]
    return Overlap(counts, [len(part) for part in parts])


def _runs(ids: Tokens) -> Hashes:
    """Return the hashes of all runs that lie within one document."""
    hashes = run_hashes(ids, _DOUBLINGS)
    ends = np.cumsum(np.concatenate([[0], ids == EOS]))
    return hashes[ends[RUN:] == ends[: len(hashes)]] if len(hashes) else hashes


def _chunks(ids: Tokens) -> Iterator[Tokens]:
    """Yield a text in chunks that overlap, so that every run lies within one of them."""
    for begin in range(0, len(ids), _AT_ONCE):
        yield ids[begin : begin + _AT_ONCE + RUN - 1]
