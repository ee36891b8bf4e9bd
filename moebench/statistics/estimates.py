"""Estimates: a quantity as runs show it, with its 95% interval and p values that agree with it.

An estimate knows the one-sided p of every bound, so that whatever is claimed of the quantity (above
zero, above a margin, within two limits) is tested by the same distribution that gives the interval:
a bound lies outside the 95% interval exactly if its p is below 0.025. Few values say nothing: the
interval is the whole line and p is one. Values that are all the same are known exactly.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, inf, log, sqrt
from typing import ClassVar

import numpy as np
import scipy  # stats and optimize load when they are first used: they take a second
from scipy.special import stdtr, stdtrit  # Student's distribution and its quantile

from moebench.statistics import Interval, Values, identical

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
    """What is known from too few values: at most the one value that there is."""

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
        return float(stdtr(self.freedom, (bound - self.value) / self.error))

    def p_at_least(self, bound: float) -> float:
        """Return the chance of a t as small as this if the quantity were the bound."""
        return float(stdtr(self.freedom, (self.value - bound) / self.error))

    def ends(self) -> tuple[float, float]:
        """Return both ends, at the same distance."""
        half = float(stdtrit(self.freedom, 1 - TAIL)) * self.error
        return self.value - half, self.value + half


def mean(values: Values) -> Estimate:
    """Return the mean of independent values, one a seed; of differences, for paired arms."""
    n = len(values)
    if n < 2:
        return Nothing(float(values[0]) if n else 0.0, n)
    average = float(values.mean())
    if identical(values):
        return Identical(average, n)
    return Student(average, n, float(values.std(ddof=1)) / sqrt(n), n - 1)


def difference(first: Values, second: Values) -> Estimate:
    """Return mean(first) - mean(second) of two samples that share no seeds.

    Source: Welch 1947, Biometrika 34; the variances need not be equal.
    """
    n = min(len(first), len(second))
    if n < 2:
        return Nothing(0.0, n)
    shift = float(first.mean() - second.mean())
    if identical(first) and identical(second):
        return Identical(shift, n)
    error, freedom = _welch(first, second)
    return Student(shift, n, error, freedom)


def _welch(first: Values, second: Values, ratio: float = 1.0) -> tuple[float, float]:
    """Return standard error and degrees of freedom of mean(first) - ratio * mean(second)."""
    a = float(first.var(ddof=1)) / len(first)
    b = ratio**2 * float(second.var(ddof=1)) / len(second)
    return sqrt(a + b), (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))


@dataclass(frozen=True)
class Ratio(Estimate):
    """The ratio of the means of two positive samples that share no seeds.

    The ratio is r where mean(first) - r * mean(second) is nought, and that is a difference of
    means, with its t for every r.

    Source: Fieller 1954, Journal of the Royal Statistical Society B 16, with Welch's variances.
    """

    first: Values = field(repr=False, compare=False)
    second: Values = field(repr=False, compare=False)
    method: ClassVar[str] = "Fieller"

    def p_at_most(self, bound: float) -> float:
        """Return p of the difference of means that the bound makes."""
        return self._p(bound, 1)

    def p_at_least(self, bound: float) -> float:
        """Return p of the difference of means that the bound makes."""
        return self._p(bound, -1)

    def _p(self, bound: float, sign: int) -> float:
        if not 0 < bound < inf:  # a ratio lies between them, whatever it is
            return float((bound > 0) == (sign > 0))
        error, freedom = _welch(self.first, self.second, bound)
        gap = float(self.first.mean() - bound * self.second.mean())
        return float(stdtr(freedom, -sign * gap / error))

    def ends(self) -> tuple[float, float]:
        """Return both ends; the upper one is infinite where the second mean may be nought."""
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


def ratio(first: Values, second: Values) -> Estimate:
    """Return mean(first) / mean(second) of two positive samples that share no seeds."""
    n = min(len(first), len(second))
    if n < 2:
        return Nothing(1.0, n)
    quotient = float(first.mean() / second.mean())
    if identical(first) and identical(second):
        return Identical(quotient, n)
    return Ratio(quotient, n, first, second)


@dataclass(frozen=True)
class Variances(Estimate):
    """The ratio of the variances of two independent normal samples: the F distribution."""

    freedom: tuple[int, int]
    method: ClassVar[str] = "F"

    def p_at_most(self, bound: float) -> float:
        """Return the chance of a ratio as large as this if the true one were the bound."""
        return float(scipy.stats.f.sf(self.value / bound, *self.freedom)) if bound > 0 else 0.0

    def p_at_least(self, bound: float) -> float:
        """Return the chance of a ratio as small as this if the true one were the bound."""
        return float(scipy.stats.f.cdf(self.value / bound, *self.freedom)) if bound > 0 else 1.0

    def ends(self) -> tuple[float, float]:
        """Return both ends."""
        high, low = (float(scipy.stats.f.ppf(q, *self.freedom)) for q in (TAIL, 1 - TAIL))
        return self.value / low, self.value / high


def variances(first: Values, second: Values) -> Estimate:
    """Return var(first) / var(second); nought or infinite where one sample does not vary."""
    n = min(len(first), len(second))
    if n < 2:
        return Nothing(1.0, n)
    if identical(second):
        return Identical(1.0 if identical(first) else inf, n)
    if identical(first):
        return Identical(0.0, n)
    quotient = float(first.var(ddof=1) / second.var(ddof=1))
    return Variances(quotient, n, (len(first) - 1, len(second) - 1))


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


def share(seen: int, runs: int) -> Estimate:
    """Return the share of runs, independent of one another, in which something is seen."""
    return Share(seen / runs, runs, seen) if runs > 1 else Nothing(float(seen), runs)


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


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf


def _exp(value: float) -> float:
    return exp(value) if value < 700 else inf


def geometric(logarithms: Estimate) -> Estimate:
    """Return the exponential of an estimate of logarithms: a ratio, as a geometric mean."""
    if isinstance(logarithms, Nothing):
        return Nothing(_exp(logarithms.value), logarithms.n)
    return Mapped(_exp(logarithms.value), logarithms.n, logarithms, _exp, _log)


def paired_ratio(first: Values, second: Values) -> Estimate:
    """Return the geometric mean of first / second, one positive pair a seed."""
    return geometric(mean(np.log(first) - np.log(second)))
