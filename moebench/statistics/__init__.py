"""Intervals, corrections for multiple tests, and power, for a handful of seeds.

Estimates with their intervals and p values are in `estimates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy  # its submodules load on first use; `special` does for all that judges claims
from numpy.typing import NDArray

Values = NDArray[np.float64]
LEVEL = 0.05  # of tests, on both sides


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval; its ends are infinite if nothing is known."""

    estimate: float
    low: float
    high: float
    n: int
    method: str  # of the estimate that gave it


def identical(values: Values) -> bool:
    """Say whether values differ by no more than rounding."""
    low, high = float(values.min()), float(values.max())
    return high - low <= 1e-12 * max(abs(low), abs(high))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted by Holm's step-down method, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def spearman(x: Values, y: Values) -> float:
    """Return the rank correlation; zero if either does not vary or has fewer than two values."""
    if len(x) < 2 or identical(x) or identical(y):
        return 0.0
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: Values) -> Values:
    """Return the rank of each value, that of equal ones their mean.

    As scipy.stats does, whose import takes longer than it takes to judge a paper.
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((count.cumsum() - (count - 1) / 2)[place])


def power(effect: float, sd: float, n: int, level: float = LEVEL) -> float:
    """Return the power of a two-sided paired t test to detect an effect with the right sign.

    Args:
        effect: true mean of the differences.
        sd: their standard deviation; if zero, any effect but zero is detected.
        n: number of pairs; with fewer than two, nothing is detected.
        level: significance level of the test.
    """
    if n < 2:
        return 0.0
    if effect == 0:
        return level / 2
    if sd == 0:
        return 1.0
    threshold = scipy.special.stdtrit(n - 1, 1 - level / 2)
    found = 1 - float(scipy.special.nctdtr(n - 1, abs(effect) / sd * n**0.5, threshold))
    return 1.0 if np.isnan(found) else found  # scipy returns NaN if the effect is very many sd


def detectable_effect(sd: float, n: int, chance: float = 0.8) -> float:
    """Return the smallest effect that n pairs detect with this power; infinite below two pairs."""
    if n < 2:
        return float("inf")
    return 0.0 if sd == 0 else _detectable(n, chance) * sd


@cache
def _detectable(n: int, chance: float) -> float:
    """Return the smallest effect that n pairs detect, in standard deviations."""
    threshold = scipy.special.stdtrit(n - 1, 1 - LEVEL / 2)
    return float(scipy.special.nctdtrinc(n - 1, 1 - chance, threshold) / n**0.5)


def seeds_needed(effect: float, sd: float, chance: float = 0.8, most: int = 10_000) -> int:
    """Return how many pairs detect this effect with this power, between 2 and `most`."""
    low, high = 2, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, sd, middle) >= chance else (middle + 1, high)
    return low


def overflow_share(rows: int, tokens: int, experts: int) -> float:
    """Return the share of tokens dropped if each goes to a uniformly random expert.

    The number of tokens per expert is binomial, and its mean excess over the expert's capacity is
    dropped. Balanced routing that is no better than random cannot drop less.

    Args:
        rows: capacity of each expert.
        tokens: number of tokens routed together.
        experts: number of experts.
    """
    more = scipy.special.bdtrc(np.arange(rows, tokens), tokens, 1 / experts)
    return float(more.sum() * experts / tokens)  # the sum of P(N > n) from C on is E(N - C)+
