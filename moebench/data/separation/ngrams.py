"""Hashes of all runs of some length, and which of them occur in another text."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER_ODD = np.uint64(0xBF58476D1CE4E5B9)
_SIEVE_BITS = 24


def run_hashes(values: NDArray[np.unsignedinteger], doublings: int) -> Hashes:
    """Return the hash of the 2^doublings numbers that start at each place.

    A pair of neighbours is hashed into one number, a pair of such pairs again, and so on: the cost
    grows with the logarithm of the length. Equal runs have equal hashes on every machine.

    Args:
        values: N numbers, such as ids of tokens.
        doublings: log2 of the length of a run.

    Returns:
        N + 1 - 2^doublings hashes; none if there are fewer numbers than that.
    """
    hashes = _mixed((values.astype(np.uint64) + np.uint64(1)) * _ODD)
    for step in (2**level for level in range(doublings)):
        if len(hashes) <= step:
            return np.empty(0, dtype=np.uint64)
        hashes = _mixed((hashes[:-step] * _OTHER_ODD + hashes[step:]) * _ODD)
    return hashes


def common(wanted: Hashes, others: Iterable[Hashes]) -> Hashes:
    """Return, sorted, the hashes that also occur in one of the others, which are read once."""
    wanted = np.unique(wanted)
    if not len(wanted):
        return wanted
    shift = np.uint64(64 - _SIEVE_BITS)
    sieve = np.zeros(2**_SIEVE_BITS, dtype=bool)  # spares most of the others a search
    sieve[wanted >> shift] = True
    found = np.zeros(len(wanted), dtype=bool)
    for hashes in others:
        likely = hashes[sieve[hashes >> shift]]
        place = np.searchsorted(wanted, likely).clip(max=len(wanted) - 1)
        found[place[wanted[place] == likely]] = True
    return wanted[found]


def contained(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Return, for each hash, whether it is among some sorted ones."""
    if not len(known):
        return np.zeros(len(hashes), dtype=bool)
    place = np.searchsorted(known, hashes).clip(max=len(known) - 1)
    among: NDArray[np.bool_] = known[place] == hashes
    return among


def _mixed(hashes: Hashes) -> Hashes:
    """Mix the high bits, which products change, into the low ones."""
    return hashes ^ (hashes >> np.uint64(29))
