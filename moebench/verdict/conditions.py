"""Conditions: the single statements a claim comes down to, each held against an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import inf, sqrt

from moebench.statistics import Interval, Values, detectable_effect, seeds_needed
from moebench.statistics.estimates import Estimate, Known, Student, mean

LEVEL = 0.05  # of every test


class State(StrEnum):
    """What the runs say about a condition."""

    HOLDS = "holds"
    REFUTED = "refuted"
    OPEN = "open"


@dataclass(frozen=True)
class Claimed:
    """The values of a quantity that would bear a condition out, and where there is no effect.

    Args:
        low: the smallest value that counts.
        high: the largest.
        floor: the interval must lie above it; between no effect and `low`.
        ceiling: the interval must lie below it.
        null: no effect; None where a claim is about a size alone.
    """

    low: float = -inf
    high: float = inf
    floor: float = -inf
    ceiling: float = inf
    null: float | None = None

    @property
    def margin(self) -> float:
        """How far what counts is from no effect."""
        counts = self.low if self.low > -inf else self.high
        return abs(counts - self.null) if self.null is not None else 0.0

    def p_holds(self, estimate: Estimate) -> float:
        """Return p of the hypothesis that the quantity is not between floor and ceiling."""
        tails = (estimate.p_at_most(self.floor), estimate.p_at_least(self.ceiling))
        return min(1.0, 2 * max(tails))

    def p_refuted(self, estimate: Estimate) -> float:
        """Return p of the hypothesis that the quantity counts; no effect at all does not."""
        if estimate.value == self.null and estimate.ends() == (self.null, self.null):
            return 0.0
        return min(1.0, 2 * estimate.p_at_least(self.low), 2 * estimate.p_at_most(self.high))


def above(margin: float = 0.0, null: float = 0.0) -> Claimed:
    """Claim an effect above `null`, by at least `margin`.

    The interval has to lie above half of the margin. Were it enough that it lies above nought, an
    effect of 0.3 margins would pass too often (benchmarks/verdicts.py).
    """
    return Claimed(low=null + margin, floor=null + margin / 2, null=null)


def below(margin: float = 0.0, null: float = 0.0) -> Claimed:
    """Claim an effect below `null`, by at least `margin`."""
    return Claimed(high=null - margin, ceiling=null - margin / 2, null=null)


def times(factor: float) -> Claimed:
    """Claim a ratio of at least `factor`, or at most, if it is below one; halved as a logarithm."""
    if factor < 1:
        return Claimed(high=factor, ceiling=sqrt(factor), null=1.0)
    return Claimed(low=factor, floor=sqrt(factor), null=1.0)


def within(low: float, high: float) -> Claimed:
    """Claim a value between two limits, both of which the interval must keep."""
    return Claimed(low=low, high=high, floor=low, ceiling=high)


@dataclass(frozen=True)
class Condition:
    """One statement with what was measured about it."""

    says: str  # "switch_cf1.25 has a lower valid/loss than dense"
    state: State
    effect: Interval
    unit: str
    p: float | None = None  # of its holding by chance; None where nothing is left to chance
    p_refuted: float | None = None  # of the statement being true
    remark: str = ""  # how to read the state: "there, but too small to count"
    choice: str = ""  # of what the paper leaves open: "coding anti, step 12"
    misses: float = 0.0  # by how much the estimate misses what counts; below nought, it counts
    sd: float | None = None  # of one pair, where more pairs would settle it
    margin: float = 0.0  # the effect that would count

    @cached_property
    def power(self) -> dict[str, float] | None:
        """The effect that so many pairs can show, and the seeds that the margin would need.

        Made when it is asked for: of many conditions a verdict prints that of one.
        """
        if self.sd is None:
            return None
        found = {"detectable_effect": detectable_effect(self.sd, self.effect.n)}
        if not self.margin:
            return found
        return {**found, "seeds_needed": seeds_needed(self.margin, self.sd)}

    @property
    def enough(self) -> bool:
        """Whether it rests on a computed number or on two values or more."""
        return self.p is None or self.effect.n > 1

    @property
    def p_of_state(self) -> float | None:
        """The p of what the state asserts; of the statement, where it is open."""
        return self.p_refuted if self.state is State.REFUTED else self.p


def judged(
    says: str, estimate: Estimate, claimed: Claimed, unit: str, choice: str = ""
) -> Condition:
    """Hold an estimate against what is claimed of it: the one rule by which conditions are judged.

    A condition holds if the estimate counts and the interval lies where it must; it is refuted if
    the interval has no value that counts; it is open otherwise.
    """
    counts = claimed.low <= estimate.value <= claimed.high
    # What does not count does not hold at any level, however surely it is there.
    p = claimed.p_holds(estimate) if counts else 1.0
    p_refuted = claimed.p_refuted(estimate)
    state = State.HOLDS if p <= LEVEL else State.OPEN
    state = State.REFUTED if p_refuted <= LEVEL else state
    misses = max(claimed.low - estimate.value, estimate.value - claimed.high)
    misses = round(misses, 12)  # what is off by rounding alone is equally far off
    effect = estimate.interval
    if type(estimate) is Known:
        return Condition(says, state, effect, unit, None, None, "", choice, misses)
    remark = _reading(effect, claimed, state)
    sd, margin = _sd(estimate), claimed.margin
    return Condition(says, state, effect, unit, p, p_refuted, remark, choice, misses, sd, margin)


def _reading(effect: Interval, claimed: Claimed, state: State) -> str:
    """Return how a state other than `holds` came about, empty where the numbers say it all."""
    if claimed.null is None or state is State.HOLDS:
        return ""
    low, high = effect.low, effect.high
    upwards = claimed.low > -inf
    if (low > claimed.null) if upwards else (high < claimed.null):
        small = state is State.REFUTED
        return "there, but too small to count" if small else "there; open whether it counts"
    if (high < claimed.null) if upwards else (low > claimed.null):
        return "the other way round"
    return "no effect that would count" if state is State.REFUTED else ""


def _sd(estimate: Estimate) -> float | None:
    """Return the standard deviation of the values that an estimate is the mean of."""
    if not isinstance(estimate, Student) or estimate.freedom != estimate.n - 1:
        return None
    return estimate.error * sqrt(estimate.n)


def unknown(says: str, unit: str, reason: str) -> Condition:
    """Return a condition about which the runs say nothing."""
    effect = Interval(0.0, -inf, inf, 0, "no value")
    return Condition(says, State.OPEN, effect, unit, 1.0, 1.0, reason)


def mean_is(says: str, values: Values, claimed: Claimed, unit: str, choice: str = "") -> Condition:
    """Judge the mean of values, one a seed; of differences, for paired arms."""
    return judged(says, mean(values), claimed, unit, choice)


def all_of(says: str, conditions: Sequence[Condition]) -> Condition:
    """Claim several conditions as one, which shows the numbers of the one nearest to failing.

    It holds if all hold, so its p is the largest; it is refuted if one is, and as there are
    several to be refuted by chance, that p counts them all (Bonferroni). Of those that are as sure
    as each other, computed ones among them, it shows the one that misses by most.
    """
    rank = {State.REFUTED: 0, State.OPEN: 1, State.HOLDS: 2}
    # What is shown is what has the p: the surest of the refuted, the least sure of the others.
    worst = min(conditions, key=lambda c: (rank[c.state], _failing(c), -c.misses))
    p_refuted = None if worst.p_refuted is None else min(1.0, len(conditions) * worst.p_refuted)
    lost = worst.state is State.REFUTED and p_refuted is not None and p_refuted > LEVEL
    state = State.OPEN if lost else worst.state
    shown = "refuted by" if state is State.REFUTED else "nearest to failing"
    says = f"{says} ({shown}: {worst.says})" if len(conditions) > 1 else says
    if worst.p is None:
        return replace(worst, says=says)
    p = max(condition.p or 0.0 for condition in conditions)
    return replace(worst, says=says, state=state, p=p, p_refuted=p_refuted)


def any_of(says: str, conditions: Sequence[Condition]) -> Condition:
    """Claim that one of several conditions is true; it shows the numbers of the best.

    It holds if one does, by a p that counts them all (Bonferroni), and is refuted if all are.
    """
    rank = {State.HOLDS: 0, State.OPEN: 1, State.REFUTED: 2}
    best = min(conditions, key=lambda c: (rank[c.state], -_failing(c), c.misses))
    says = f"{says} (nearest to it: {best.says})" if len(conditions) > 1 else says
    if best.p is None:
        return replace(best, says=says)
    p = min(1.0, len(conditions) * best.p)
    p_refuted = max(condition.p_refuted or 0.0 for condition in conditions)
    lost = best.state is State.HOLDS and p > LEVEL
    state = State.OPEN if lost else best.state
    return replace(best, says=says, state=state, p=p, p_refuted=p_refuted)


def _failing(condition: Condition) -> float:
    """Return a number that is the smaller, the nearer a condition is to failing, of its state."""
    if condition.state is State.REFUTED:
        return condition.p_refuted or 0.0
    return -(condition.p or 0.0)
