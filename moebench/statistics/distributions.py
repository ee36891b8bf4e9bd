"""Estimates by the distribution they follow, which gives the 95% interval and the p of any bound.

Whatever is claimed of a quantity (above zero, above a margin, between two limits) is tested with
the distribution behind its interval: a bound lies outside the 95% interval if and only if its p is
below 0.025.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

import scipy  # its submodules take a second to import, so they load on first use

from moebench.statistics import Interval

TAIL = 0.025  # of a 95% interval, on each side


@dataclass(frozen=True)
class Estimate(ABC):
    """An estimate of a quantity from `n` values or pairs; n is that of the smaller sample."""

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
        """Return both ends of the 95% interval; infinite if nothing is known."""

    @property
    def interval(self) -> Interval:
        """The estimate with its 95% interval."""
        return Interval(self.value, *self.ends(), self.n, self.method)


@dataclass(frozen=True)
class Known(Estimate):
    """A computed number, or identical values: nothing is left to chance."""

    method: ClassVar[str] = "exact"

    def p_at_most(self, bound: float) -> float:
        """Return zero if the number is larger, otherwise one."""
        return 0.0 if self.value > bound else 1.0

    def p_at_least(self, bound: float) -> float:
        """Return zero if the number is smaller, otherwise one."""
        return 0.0 if self.value < bound else 1.0

    def ends(self) -> tuple[float, float]:
        """Return the number twice."""
        return self.value, self.value


@dataclass(frozen=True)
class Identical(Known):
    """The mean of several identical values."""

    method: ClassVar[str] = "identical values"


@dataclass(frozen=True)
class NoEstimate(Estimate):
    """No information: there were too few values, or unsuitable ones."""

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
        """Return the probability of a t at least this large if the quantity were the bound."""
        return float(scipy.special.stdtr(self.freedom, (bound - self.value) / self.error))

    def p_at_least(self, bound: float) -> float:
        """Return the probability of a t at least this small if the quantity were the bound."""
        return float(scipy.special.stdtr(self.freedom, (self.value - bound) / self.error))

    def ends(self) -> tuple[float, float]:
        """Return both ends, equally far from the estimate."""
        half = float(scipy.special.stdtrit(self.freedom, 1 - TAIL)) * self.error
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Share(Estimate):
    """The share of runs with some property: the binomial distribution."""

    seen: int
    method: ClassVar[str] = "Clopper-Pearson"

    def p_at_most(self, bound: float) -> float:
        """Return the probability of this many runs or more if the share were the bound."""
        if bound < 0:
            return 0.0
        return float(scipy.special.bdtrc(self.seen - 1, self.n, min(bound, 1.0)))

    def p_at_least(self, bound: float) -> float:
        """Return the probability of this many runs or fewer if the share were the bound."""
        if bound > 1:
            return 0.0
        return float(scipy.special.bdtr(self.seen, self.n, max(bound, 0.0)))

    def ends(self) -> tuple[float, float]:
        """Return both ends.

        Source: Clopper and Pearson 1934, Biometrika 26.
        """
        seen, n = self.seen, self.n
        low = scipy.special.betaincinv(seen, n - seen + 1, TAIL) if seen else 0.0
        high = scipy.special.betaincinv(seen + 1, n - seen, 1 - TAIL) if seen < n else 1.0
        return float(low), float(high)


@dataclass(frozen=True)
class Transformed(Estimate):
    """An estimate of an increasing function of a quantity, such as the exponential of its log."""

    inner: Estimate
    function: Callable[[float], float] = field(compare=False)
    inverse: Callable[[float], float] = field(compare=False)

    @property
    def interval(self) -> Interval:
        """The estimate with its 95% interval."""
        return Interval(self.value, *self.ends(), self.n, self.inner.method)

    def p_at_most(self, bound: float) -> float:
        """Return the p of the corresponding bound of the quantity itself."""
        return self.inner.p_at_most(self.inverse(bound))

    def p_at_least(self, bound: float) -> float:
        """Return the p of the corresponding bound of the quantity itself."""
        return self.inner.p_at_least(self.inverse(bound))

    def ends(self) -> tuple[float, float]:
        """Return the function of both ends."""
        low, high = self.inner.ends()
        return self.function(low), self.function(high)
