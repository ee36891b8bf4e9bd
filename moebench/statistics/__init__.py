"""Intervals, corrections for multiple tests, and power, for a handful of seeds.

Estimates with their intervals and p values are in `estimates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy  # its submodules take a second to import, so they load on first use
from numpy.typing import NDArray

Values = NDArray[np.float64]


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
    return float(scipy.stats.spearmanr(x, y).statistic)


def power(effect: float, sd: float, n: int, level: float = 0.05) -> float:
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
    return float(scipy.optimize.brentq(lambda d: power(d, 1.0, n) - chance, 0.0, 12.0))


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
    count = np.arange(rows + 1, tokens + 1)
    excess = (count - rows) * scipy.stats.binom.pmf(count, tokens, 1 / experts)
    return float(excess.sum() * experts / tokens)
