"""Cuts passages that occur in the training text out of the validation text.

Texts that are not near-duplicates may still share licences, copied fragments or lists of headers.
Every line of a validation text that such a passage touches is removed; if less than half of the
text remains, all of it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moebench.data.separation.ngrams import Hashes, common, contained, run_hashes

_DOUBLINGS = 6
PASSAGE = 2**_DOUBLINGS  # characters
_LEAST_LEFT = 0.5  # share of a text, below which it counts as a copy


def without_passages(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return texts without the lines that share a passage with others; "" if little remains."""
    hashes = [_hashes(text) for text in texts]
    wanted = np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
    shared = common(wanted, map(_hashes, others))
    return [_cut(text, contained(own, shared)) for text, own in zip(texts, hashes, strict=True)]


def _hashes(text: str) -> Hashes:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return run_hashes(codes, _DOUBLINGS)


def _cut(text: str, starts: NDArray[np.bool_]) -> str:
    """Remove the lines that a passage touches; `starts` marks the characters where one begins."""
    if not starts.any():
        return text
    (start,) = np.nonzero(starts)
    lines = text.split("\n")
    ends = np.cumsum([len(line) + 1 for line in lines])
    first, last = (np.searchsorted(ends, place, "right") for place in (start, start + PASSAGE - 1))
    touched = np.zeros(len(lines) + 1, dtype=int)
    np.add.at(touched, first, 1)
    np.add.at(touched, last + 1, -1)
    kept = np.cumsum(touched)[:-1] == 0
    left = "\n".join(line for line, keep in zip(lines, kept, strict=True) if keep)
    return left if len(left.strip()) >= _LEAST_LEFT * len(text.strip()) else ""
