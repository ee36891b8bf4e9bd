"""Intervals, corrections for many tests, and power, for a handful of seeds.

Estimates with their intervals and p values are in `estimates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy  # its parts load when they are first used: they take a second
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval; infinite ends where nothing is known."""

    estimate: float
    low: float
    high: float
    n: int
    method: str  # of the estimate that gave it


def identical(values: Values) -> bool:
    """Tell values that differ by rounding alone."""
    low, high = float(values.min()), float(values.max())
    return high - low <= 1e-12 * max(abs(low), abs(high))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted for their number by Holm's step-down rule, in given order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def spearman(x: Values, y: Values) -> float:
    """Return the rank correlation; zero where either does not vary or there are under two."""
    if len(x) < 2 or identical(x) or identical(y):
        return 0.0
    return float(scipy.stats.spearmanr(x, y).statistic)


def power(effect: float, sd: float, n: int, level: float = 0.05) -> float:
    """Return the chance that a two-sided paired t test sees an effect, with its right sign.

    Args:
        effect: true mean of the differences.
        sd: their standard deviation; at zero any effect but zero is seen.
        n: number of pairs; under two nothing is seen.
        level: of the test.
    """
    if n < 2:
        return 0.0
    if effect == 0:
        return level / 2
    if sd == 0:
        return 1.0
    threshold = scipy.special.stdtrit(n - 1, 1 - level / 2)
    seen = 1 - float(scipy.special.nctdtr(n - 1, abs(effect) / sd * n**0.5, threshold))
    return 1.0 if np.isnan(seen) else seen  # scipy gives up where the effect is very many sd


def detectable_effect(sd: float, n: int, chance: float = 0.8) -> float:
    """Return the smallest effect that n pairs show with this chance; infinite under two pairs."""
    if n < 2:
        return float("inf")
    return 0.0 if sd == 0 else _detectable(n, chance) * sd


@cache
def _detectable(n: int, chance: float) -> float:
    """Return the smallest effect that n pairs show, in standard deviations."""
    return float(scipy.optimize.brentq(lambda d: power(d, 1.0, n) - chance, 0.0, 12.0))


def seeds_needed(effect: float, sd: float, chance: float = 0.8, most: int = 10_000) -> int:
    """Return how many pairs show this effect with this chance, at least 2 and at most `most`."""
    low, high = 2, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, sd, middle) >= chance else (middle + 1, high)
    return low


def overflow_share(rows: int, tokens: int, experts: int) -> float:
    """Return the share of tokens without room when each goes to a uniformly random expert.

    The floor of every drop rate: the number of tokens of an expert is binomial, and its mean
    excess over the rows the expert accepts is dropped.

    Args:
        rows: accepted by each expert.
        tokens: arriving together.
        experts: to choose from.
    """
    count = np.arange(rows + 1, tokens + 1)
    excess = (count - rows) * scipy.stats.binom.pmf(count, tokens, 1 / experts)
    return float(excess.sum() * experts / tokens)
