"""Two independent samples with unequal variances: Welch's t, and Fieller's ratio based on it."""

from dataclasses import dataclass
from math import inf, sqrt
from typing import ClassVar

import scipy  # its submodules take a second to import, so they load on first use

from moebench.statistics import Values
from moebench.statistics.distributions import TAIL, Estimate


@dataclass(frozen=True)
class Sample:
    """The statistics of a sample, computed once for all bounds."""

    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: Values) -> "Sample":
        """Return the statistics of at least two values."""
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

    The ratio is the r at which mean(first) - r * mean(second) is zero: a difference of means, with
    a t for every r. The degrees of freedom are fixed at the estimate: Welch's vary with r, so with
    few values p would rise again far from the estimate.

    Source: Fieller 1954, Journal of the Royal Statistical Society B 16, with Welch's variances.
    """

    first: Sample
    second: Sample
    method: ClassVar[str] = "Fieller"

    def p_at_most(self, bound: float) -> float:
        """Return the p of the difference of means at the bound."""
        return self._p(bound, 1) if 0 < bound < inf else float(bound > 0)

    def p_at_least(self, bound: float) -> float:
        """Return the p of the difference of means at the bound."""
        return self._p(bound, -1) if 0 < bound < inf else float(bound <= 0)

    @property
    def _freedom(self) -> float:
        return welch(self.first, self.second, self.value)[1]

    def _p(self, bound: float, sign: int) -> float:
        error, _ = welch(self.first, self.second, bound)
        gap = self.first.mean - bound * self.second.mean
        return float(scipy.special.stdtr(self._freedom, -sign * gap / error))

    def ends(self) -> tuple[float, float]:
        """Return both ends; zero or infinite if one of the means may be zero.

        They solve second * r^2 - 2 * both * r + first = 0, where `first` and `second` are each
        mean's square less t^2 times its squared standard error.
        """
        t = float(scipy.special.stdtrit(self._freedom, 1 - TAIL))
        first, second = (
            one.mean**2 - t**2 * one.variance / one.n for one in (self.first, self.second)
        )
        both = self.first.mean * self.second.mean
        outer = both + sqrt(max(both**2 - first * second, 0.0))
        return max(first, 0.0) / outer, outer / second if second > 0 else inf
