"""From values to estimates of a mean, a difference, a ratio or a share.

Too few values say nothing: the interval is the whole line and p is one. Identical values count as
known exactly.
"""

from math import exp, inf, log, sqrt

import numpy as np

from moebench.statistics import Values, identical
from moebench.statistics.distributions import (
    Estimate,
    Identical,
    Known,
    NoEstimate,
    Share,
    Student,
    Transformed,
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
    """Return the mean of independent values, one per seed; for paired arms, of differences."""
    n = len(values)
    if n < 2:
        return NoEstimate(float(values[0]) if n else 0.0, n)
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
        return NoEstimate(0.0, n)
    shift = float(first.mean() - second.mean())
    if identical(first) and identical(second):
        return Identical(shift, n)
    error, freedom = welch(Sample.of(first), Sample.of(second))
    return Student(shift, n, error, freedom)


def ratio(first: Values, second: Values) -> Estimate:
    """Return mean(first) / mean(second) for two samples of positive values without shared seeds.

    Nothing is known if a mean is not positive.
    """
    n = min(len(first), len(second))
    if n < 2 or first.mean() <= 0 or second.mean() <= 0:
        return NoEstimate(1.0, n)
    quotient = float(first.mean() / second.mean())
    if identical(first) and identical(second):
        return Identical(quotient, n)
    return Fieller(quotient, n, Sample.of(first), Sample.of(second))


def paired_ratio(first: Values, second: Values) -> Estimate:
    """Return the geometric mean of first / second, one positive pair per seed.

    Nothing is known if a value is not positive.
    """
    if (first <= 0).any() or (second <= 0).any():
        return NoEstimate(1.0, len(first))
    return geometric(mean(np.log(first) - np.log(second)))


def geometric(logarithms: Estimate) -> Estimate:
    """Return the exponential of an estimate of logarithms: a ratio as a geometric mean."""
    if isinstance(logarithms, NoEstimate):
        return NoEstimate(_exp(logarithms.value), logarithms.n)
    return Transformed(_exp(logarithms.value), logarithms.n, logarithms, _exp, _log)


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf


def _exp(value: float) -> float:
    return exp(value) if value < 700 else inf


def spreads(first: Values, second: Values) -> Estimate:
    """Return the ratio of the mean distances of two samples from their own medians.

    Mean distances are as robust as means. Ratios of variances are not: in an F test a single slow
    run makes two equal samples look different.

    Source: Brown and Forsythe 1974, Journal of the American Statistical Association 69, with
    Welch's variances. The median's own distance of zero makes the interval a little too wide.
    """
    n = min(len(first), len(second))
    if n < 3:  # two values always lie equally far from their median
        return NoEstimate(1.0, n)
    if identical(second):
        return Identical(1.0 if identical(first) else inf, n)
    if identical(first):
        return Identical(0.0, n)
    return ratio(np.abs(first - np.median(first)), np.abs(second - np.median(second)))


def share(seen: int, runs: int) -> Estimate:
    """Return the share of independent runs that have some property."""
    return Share(seen / runs, runs, seen) if runs > 1 else NoEstimate(float(seen), runs)
