"""What is claimed of a quantity: the values that count, and where its interval must lie."""

from dataclasses import dataclass
from math import inf, sqrt

from moebench.statistics.estimates import Estimate


@dataclass(frozen=True)
class Claimed:
    """The values of a quantity that would support a condition, and the value of no effect.

    Args:
        low: the smallest value that counts.
        high: the largest value that counts.
        floor: the interval must lie above this; it is between no effect and `low`.
        ceiling: the interval must lie below this.
        null: the value of no effect; None if the claim is only about a size.
    """

    low: float = -inf
    high: float = inf
    floor: float = -inf
    ceiling: float = inf
    null: float | None = None

    @property
    def sides(self) -> int:
        """On how many sides it has a limit."""
        return (self.low > -inf) + (self.high < inf)

    @property
    def margin(self) -> float:
        """Distance from no effect to the nearest value that counts, or from the middle of two."""
        if self.sides == 2:
            return (self.high - self.low) / 2
        counts = self.low if self.low > -inf else self.high
        return abs(counts - self.null) if self.null is not None else 0.0

    def p_holds(self, estimate: Estimate) -> float:
        """Return the p of the hypothesis that the quantity is not between floor and ceiling."""
        tails = (estimate.p_at_most(self.floor), estimate.p_at_least(self.ceiling))
        return min(1.0, 2 * max(tails))

    def p_refuted(self, estimate: Estimate) -> float:
        """Return the p of the hypothesis that the quantity counts; exactly no effect does not."""
        if estimate.value == self.null and estimate.ends() == (self.null, self.null):
            return 0.0
        return min(1.0, 2 * estimate.p_at_least(self.low), 2 * estimate.p_at_most(self.high))


def above(margin: float = 0.0, null: float = 0.0) -> Claimed:
    """Claim an effect above `null` by at least `margin`.

    The interval must lie above half the margin. If it only had to lie above zero, an effect of 0.3
    margins would pass too often (benchmarks/verdicts.py).
    """
    return Claimed(low=null + margin, floor=null + margin / 2, null=null)


def below(margin: float = 0.0, null: float = 0.0) -> Claimed:
    """Claim an effect below `null` by at least `margin`."""
    return Claimed(high=null - margin, ceiling=null - margin / 2, null=null)


def times(factor: float) -> Claimed:
    """Claim a ratio of at least `factor`, or at most if that is below one; halved in logarithms."""
    if factor < 1:
        return Claimed(high=factor, ceiling=sqrt(factor), null=1.0)
    return Claimed(low=factor, floor=sqrt(factor), null=1.0)


def within(low: float, high: float) -> Claimed:
    """Claim a value between two limits; the interval must stay inside both."""
    return Claimed(low=low, high=high, floor=low, ceiling=high)
