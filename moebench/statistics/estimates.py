"""From values to estimates: what runs say of a mean, a difference, a ratio or a share.

Few values say nothing: the interval is the whole line and p is one. Values that are all the same
are known exactly.
"""

from math import exp, inf, log, sqrt

import numpy as np

from moebench.statistics import Values, identical
from moebench.statistics.distributions import (
    Estimate,
    Identical,
    Known,
    Mapped,
    Nothing,
    Share,
    Student,
)
from moebench.statistics.welch import Fieller, Sample, welch

__all__ = [
    "Estimate",
    "Known",
    "Student",
    "difference",
    "geometric",
    "mean",
    "paired_ratio",
    "ratio",
    "share",
    "spreads",
]


def mean(values: Values) -> Estimate:
    """Return the mean of independent values, one a seed; of differences, for paired arms."""
    n = len(values)
    if n < 2:
        return Nothing(float(values[0]) if n else 0.0, n)
    average = float(values.mean())
    if identical(values):
        return Identical(average, n)
    gaps = values - average
    sd = sqrt(float((gaps * gaps).sum()) / (n - 1))
    return Student(average, n, sd / sqrt(n), n - 1)


def difference(first: Values, second: Values) -> Estimate:
    """Return mean(first) - mean(second) of two samples that share no seeds, by Welch's t."""
    n = min(len(first), len(second))
    if n < 2:
        return Nothing(0.0, n)
    shift = float(first.mean() - second.mean())
    if identical(first) and identical(second):
        return Identical(shift, n)
    error, freedom = welch(Sample.of(first), Sample.of(second))
    return Student(shift, n, error, freedom)


def ratio(first: Values, second: Values) -> Estimate:
    """Return mean(first) / mean(second) of two samples of positive values that share no seeds.

    Nothing is known where a mean is not positive.
    """
    n = min(len(first), len(second))
    if n < 2 or first.mean() <= 0 or second.mean() <= 0:
        return Nothing(1.0, n)
    quotient = float(first.mean() / second.mean())
    if identical(first) and identical(second):
        return Identical(quotient, n)
    return Fieller(quotient, n, Sample.of(first), Sample.of(second))


def paired_ratio(first: Values, second: Values) -> Estimate:
    """Return the geometric mean of first / second, one positive pair a seed.

    Nothing is known where a value is not positive.
    """
    if (first <= 0).any() or (second <= 0).any():
        return Nothing(1.0, len(first))
    return geometric(mean(np.log(first) - np.log(second)))


def geometric(logarithms: Estimate) -> Estimate:
    """Return the exponential of an estimate of logarithms: a ratio, as a geometric mean."""
    if isinstance(logarithms, Nothing):
        return Nothing(_exp(logarithms.value), logarithms.n)
    return Mapped(_exp(logarithms.value), logarithms.n, logarithms, _exp, _log)


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf


def _exp(value: float) -> float:
    return exp(value) if value < 700 else inf


def spreads(first: Values, second: Values) -> Estimate:
    """Return how many times as far first lies from its median as second does, on average.

    Distances are means, and as robust as those. Ratios of variances are not: under the F test a
    single run that takes long makes a difference of two samples that have none.

    Source: Brown and Forsythe 1974, Journal of the American Statistical Association 69, with
    Welch's variances. The median's own distance of nought makes the interval a little too wide.
    """
    n = min(len(first), len(second))
    if n < 3:  # two values always lie equally far from their median
        return Nothing(1.0, n)
    if identical(second):
        return Identical(1.0 if identical(first) else inf, n)
    if identical(first):
        return Identical(0.0, n)
    return ratio(np.abs(first - np.median(first)), np.abs(second - np.median(second)))


def share(seen: int, runs: int) -> Estimate:
    """Return the share of runs, independent of one another, in which something is seen."""
    return Share(seen / runs, runs, seen) if runs > 1 else Nothing(float(seen), runs)
