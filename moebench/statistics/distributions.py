"""Estimates by the distribution they follow: each has its 95% interval and the p of every bound.

Whatever is claimed of a quantity (above zero, above a margin, within two limits) is tested by the
same distribution that gives the interval: a bound lies outside the 95% interval exactly if its p is
below 0.025.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

import scipy  # its parts load when they are first used: they take a second

from moebench.statistics import Interval

TAIL = 0.025  # of a 95% interval, on each side


@dataclass(frozen=True)
class Estimate(ABC):
    """A number that runs give for a quantity, from `n` values or pairs (of the smaller sample)."""

    value: float
    n: int

    method: ClassVar[str]

    @abstractmethod
    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p of the hypothesis that the quantity is at most a bound."""

    @abstractmethod
    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p of the hypothesis that the quantity is at least a bound."""

    @abstractmethod
    def ends(self) -> tuple[float, float]:
        """Return both ends of the 95% interval; infinite where nothing is known."""

    @property
    def interval(self) -> Interval:
        """The estimate with its 95% interval."""
        return Interval(self.value, *self.ends(), self.n, self.method)


@dataclass(frozen=True)
class Known(Estimate):
    """A computed number, or values that do not differ: nothing is left to chance."""

    method: ClassVar[str] = "exact"

    def p_at_most(self, bound: float) -> float:
        """Return nought if the number is larger, else one."""
        return 0.0 if self.value > bound else 1.0

    def p_at_least(self, bound: float) -> float:
        """Return nought if the number is smaller, else one."""
        return 0.0 if self.value < bound else 1.0

    def ends(self) -> tuple[float, float]:
        """Return the number twice."""
        return self.value, self.value


@dataclass(frozen=True)
class Identical(Known):
    """The mean of several values that do not differ."""

    method: ClassVar[str] = "identical values"


@dataclass(frozen=True)
class Nothing(Estimate):
    """What is known from too few values, or from values that do not serve: nothing."""

    method: ClassVar[str] = "too few values"

    def p_at_most(self, bound: float) -> float:
        """Return one."""
        return 1.0

    def p_at_least(self, bound: float) -> float:
        """Return one."""
        return 1.0

    def ends(self) -> tuple[float, float]:
        """Return the whole line."""
        return -inf, inf


@dataclass(frozen=True)
class Student(Estimate):
    """A mean, or a difference of means, over its standard error: Student's t distribution."""

    error: float
    freedom: float
    method: ClassVar[str] = "t"

    def p_at_most(self, bound: float) -> float:
        """Return the chance of a t as large as this if the quantity were the bound."""
        return float(scipy.special.stdtr(self.freedom, (bound - self.value) / self.error))

    def p_at_least(self, bound: float) -> float:
        """Return the chance of a t as small as this if the quantity were the bound."""
        return float(scipy.special.stdtr(self.freedom, (self.value - bound) / self.error))

    def ends(self) -> tuple[float, float]:
        """Return both ends, at the same distance."""
        half = float(scipy.special.stdtrit(self.freedom, 1 - TAIL)) * self.error
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Share(Estimate):
    """The share of runs in which something is seen: the binomial distribution."""

    seen: int
    method: ClassVar[str] = "Clopper-Pearson"

    def p_at_most(self, bound: float) -> float:
        """Return the chance to see it in so many runs or more if the share were the bound."""
        if bound < 0:
            return 0.0
        return float(scipy.stats.binom.sf(self.seen - 1, self.n, min(bound, 1.0)))

    def p_at_least(self, bound: float) -> float:
        """Return the chance to see it in so many runs or fewer if the share were the bound."""
        if bound > 1:
            return 0.0
        return float(scipy.stats.binom.cdf(self.seen, self.n, max(bound, 0.0)))

    def ends(self) -> tuple[float, float]:
        """Return both ends.

        Source: Clopper and Pearson 1934, Biometrika 26.
        """
        found = scipy.stats.binomtest(self.seen, self.n).proportion_ci(1 - 2 * TAIL, "exact")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Mapped(Estimate):
    """An estimate of a rising function of the quantity, such as the exponential of a logarithm."""

    inner: Estimate
    function: Callable[[float], float] = field(compare=False)
    inverse: Callable[[float], float] = field(compare=False)

    @property
    def interval(self) -> Interval:
        """The estimate with its 95% interval."""
        return Interval(self.value, *self.ends(), self.n, self.inner.method)

    def p_at_most(self, bound: float) -> float:
        """Return p of the bound of the quantity itself."""
        return self.inner.p_at_most(self.inverse(bound))

    def p_at_least(self, bound: float) -> float:
        """Return p of the bound of the quantity itself."""
        return self.inner.p_at_least(self.inverse(bound))

    def ends(self) -> tuple[float, float]:
        """Return the function of both ends."""
        low, high = self.inner.ends()
        return self.function(low), self.function(high)
