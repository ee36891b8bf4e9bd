"""Two samples that share nothing but what is measured: differences and ratios of their means."""

import numpy as np
import scipy

from moebench.statistics import Interval, Values, identical

LEVEL = 0.95
RESAMPLES = 9999


def enough(*samples: Values) -> bool:
    """Say whether every sample has two values or more."""
    return all(len(sample) > 1 for sample in samples)


def difference_of_means(first: Values, second: Values) -> tuple[Interval, float]:
    """Return mean(first) - mean(second) with its 95% interval, and the two-sided p that it is 0.

    Student's t with pooled variance, the test of Jacobs et al. 1991. Samples that do not vary at
    all give an exact difference. With under two values on a side nothing is known.
    """
    n = min(len(first), len(second))
    if not enough(first, second):
        return Interval(0.0, -np.inf, np.inf, n, "no value" if n == 0 else "one value"), 1.0
    shift = float(first.mean() - second.mean())
    if identical(first) and identical(second):
        return Interval(shift, shift, shift, n, "identical values"), 0.0 if shift else 1.0
    error, freedom = _standard_error(first, second)
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    p = 2 * float(scipy.stats.t.sf(abs(shift) / error, freedom))
    return Interval(shift, shift - half, shift + half, n, "pooled t"), p


def _standard_error(first: Values, second: Values) -> tuple[float, int]:
    """Return the standard error of the difference of two means, and its degrees of freedom."""
    sizes = len(first), len(second)
    freedom = sum(sizes) - 2
    squares = float(((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum())
    return (squares / freedom * (1 / sizes[0] + 1 / sizes[1])) ** 0.5, freedom


def equivalence_of_means(first: Values, second: Values, margin: float) -> float:
    """Return p of two one-sided pooled t tests that the means differ by less than the margin."""
    if not enough(first, second):
        return 1.0
    if identical(first) and identical(second):
        return 0.0 if abs(float(first.mean() - second.mean())) < margin else 1.0
    error, freedom = _standard_error(first, second)
    nearest = margin - abs(float(first.mean() - second.mean()))
    return float(scipy.stats.t.sf(nearest / error, freedom))


def ratio_of_means(first: Values, second: Values, rng: np.random.Generator) -> Interval:
    """Return mean(first) / mean(second), both of positive values, with its 95% interval.

    The bias-corrected and accelerated bootstrap, each sample drawn by itself.
    """
    n = min(len(first), len(second))
    if not enough(first, second):
        return Interval(1.0, 0.0, np.inf, n, "no value" if n == 0 else "one value")
    ratio = float(first.mean() / second.mean())
    if identical(first) and identical(second):
        return Interval(ratio, ratio, ratio, n, "identical values")
    found = scipy.stats.bootstrap(
        (first, second),
        lambda one, other, axis: one.mean(axis=axis) / other.mean(axis=axis),
        confidence_level=LEVEL,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=rng,
    ).confidence_interval
    return Interval(ratio, float(found.low), float(found.high), n, "bca")
