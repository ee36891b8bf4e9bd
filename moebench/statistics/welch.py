"""Two independent samples with variances of their own: Welch's t, and Fieller's ratio by it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import ClassVar

import scipy  # optimize loads when it is first used: it takes a second
from scipy.special import stdtr  # Student's distribution

from moebench.statistics import Values
from moebench.statistics.distributions import TAIL, Estimate


@dataclass(frozen=True)
class Sample:
    """What is asked of a sample, worked out once for all bounds that are tried."""

    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: Values) -> "Sample":
        """Return that of two values or more."""
        return cls(len(values), float(values.mean()), float(values.var(ddof=1)))


def welch(first: Sample, second: Sample, ratio: float = 1.0) -> tuple[float, float]:
    """Return standard error and degrees of freedom of mean(first) - ratio * mean(second).

    Source: Welch 1947, Biometrika 34; the variances need not be equal.
    """
    a, b = first.variance / first.n, ratio**2 * second.variance / second.n
    return sqrt(a + b), (a + b) ** 2 / (a**2 / (first.n - 1) + b**2 / (second.n - 1))


@dataclass(frozen=True)
class Fieller(Estimate):
    """The ratio of the means of two positive samples that share no seeds.

    The ratio is r where mean(first) - r * mean(second) is nought, and that is a difference of
    means, with its t for every r.

    Source: Fieller 1954, Journal of the Royal Statistical Society B 16, with Welch's variances.
    """

    first: Sample
    second: Sample
    method: ClassVar[str] = "Fieller"

    def p_at_most(self, bound: float) -> float:
        """Return p of the difference of means that the bound makes."""
        return self._p(bound, 1) if 0 < bound < inf else float(bound > 0)

    def p_at_least(self, bound: float) -> float:
        """Return p of the difference of means that the bound makes."""
        return self._p(bound, -1) if 0 < bound < inf else float(bound <= 0)

    def _p(self, bound: float, sign: int) -> float:
        error, freedom = welch(self.first, self.second, bound)
        gap = self.first.mean - bound * self.second.mean
        return float(stdtr(freedom, -sign * gap / error))

    def ends(self) -> tuple[float, float]:
        """Return both ends; nought or infinite where one of the means may be nought."""
        low = self._end(lambda r: self.p_at_most(r) - TAIL, 0.0)
        high = self._end(lambda r: self.p_at_least(r) - TAIL, inf)
        return low, high

    def _end(self, excess: Callable[[float], float], limit: float) -> float:
        """Return where a p is that of the tail, searched for from the estimate outwards."""
        near, step = self.value, 2.0 if limit else 0.5
        while excess(near * step) > 0:
            near *= step
            if not 1e-9 < near / self.value < 1e9:
                return limit
        return float(scipy.optimize.brentq(excess, near, near * step, rtol=1e-12))
