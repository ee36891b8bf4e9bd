"""Conditions: the single statements that make up a claim, each tested against an estimate."""

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
    def margin(self) -> float:
        """Distance from no effect to the nearest value that counts."""
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


@dataclass(frozen=True)
class Condition:
    """One statement with the measurement that it is judged by."""

    says: str  # "switch_cf1.25 has a lower valid/loss than dense"
    state: State
    effect: Interval
    unit: str
    p: float | None = None  # of its holding by chance; None if nothing is left to chance
    p_refuted: float | None = None  # of its being refuted by chance
    remark: str = ""  # how to read the state: "present, but too small to count"
    choice: str = ""  # a reading of what the paper leaves open: "coding anti, step 12"
    misses: float = 0.0  # distance from the estimate to what counts; negative if it counts
    sd: float | None = None  # of one pair; None if more pairs would not settle it
    margin: float = 0.0  # the smallest effect that counts

    @cached_property
    def power(self) -> dict[str, float] | None:
        """The effect detectable with this many pairs, and the seeds needed to detect the margin.

        Computed on demand: of many conditions, a verdict prints the power of one.
        """
        if self.sd is None:
            return None
        found = {"detectable_effect": detectable_effect(self.sd, self.effect.n)}
        if not self.margin:
            return found
        return {**found, "seeds_needed": seeds_needed(self.margin, self.sd)}

    @property
    def enough(self) -> bool:
        """Whether it rests on a computed number or on at least two values."""
        return self.p is None or self.effect.n > 1

    @property
    def p_of_state(self) -> float | None:
        """The p of what the state asserts; of the statement itself if the state is open."""
        return self.p_refuted if self.state is State.REFUTED else self.p


def judged(
    says: str, estimate: Estimate, claimed: Claimed, unit: str, choice: str = ""
) -> Condition:
    """Judge an estimate by what is claimed of it: the one rule behind every condition.

    A condition holds if the estimate counts and the interval lies where it must, is refuted if the
    interval contains no value that counts, and is open otherwise.
    """
    counts = claimed.low <= estimate.value <= claimed.high
    # An estimate too small to count never holds, however certain the effect is.
    p = claimed.p_holds(estimate) if counts else 1.0
    p_refuted = claimed.p_refuted(estimate)
    state = State.HOLDS if p <= LEVEL else State.OPEN
    state = State.REFUTED if p_refuted <= LEVEL else state
    misses = max(claimed.low - estimate.value, estimate.value - claimed.high)
    misses = round(misses, 12)  # differences from rounding are ties
    effect = estimate.interval
    if type(estimate) is Known:
        return Condition(says, state, effect, unit, None, None, "", choice, misses)
    remark = _reading(effect, claimed, state)
    sd, margin = _sd(estimate), claimed.margin
    return Condition(says, state, effect, unit, p, p_refuted, remark, choice, misses, sd, margin)


def _reading(effect: Interval, claimed: Claimed, state: State) -> str:
    """Explain a state other than `holds`; empty if the numbers speak for themselves."""
    if claimed.null is None or state is State.HOLDS:
        return ""
    low, high = effect.low, effect.high
    upwards = claimed.low > -inf
    if (low > claimed.null) if upwards else (high < claimed.null):
        small = state is State.REFUTED
        return "present, but too small to count" if small else "present; unclear whether it counts"
    if (high < claimed.null) if upwards else (low > claimed.null):
        return "in the opposite direction"
    return "no effect large enough to count" if state is State.REFUTED else ""


def _sd(estimate: Estimate) -> float | None:
    """Return the standard deviation of the values that were averaged; None for other estimates."""
    if not isinstance(estimate, Student) or estimate.freedom != estimate.n - 1:
        return None
    return estimate.error * sqrt(estimate.n)


def unknown(says: str, unit: str, reason: str) -> Condition:
    """Return a condition that the runs cannot decide."""
    effect = Interval(0.0, -inf, inf, 0, "no value")
    return Condition(says, State.OPEN, effect, unit, 1.0, 1.0, reason)


def mean_is(says: str, values: Values, claimed: Claimed, unit: str, choice: str = "") -> Condition:
    """Judge the mean of values, one per seed; for paired arms, of their differences."""
    return judged(says, mean(values), claimed, unit, choice)


def all_of(says: str, conditions: Sequence[Condition]) -> Condition:
    """Claim several conditions as one, with the numbers of the one closest to failing.

    It holds if all hold, so its p is the largest. It is refuted if any is; since any of several
    could be refuted by chance, that p counts them all (Bonferroni). Ties, as among computed
    numbers, go to the condition that misses by most.
    """
    rank = {State.REFUTED: 0, State.OPEN: 1, State.HOLDS: 2}
    # The numbers shown belong to the p: the surest of the refuted, the least sure of the others.
    worst = min(conditions, key=lambda c: (rank[c.state], _failing(c), -c.misses))
    p_refuted = None if worst.p_refuted is None else min(1.0, len(conditions) * worst.p_refuted)
    lost = worst.state is State.REFUTED and p_refuted is not None and p_refuted > LEVEL
    state = State.OPEN if lost else worst.state
    shown = "refuted by" if state is State.REFUTED else "closest to failing"
    says = f"{says} ({shown}: {worst.says})" if len(conditions) > 1 else says
    if worst.p is None:
        return replace(worst, says=says)
    p = max(condition.p or 0.0 for condition in conditions)
    return replace(worst, says=says, state=state, p=p, p_refuted=p_refuted)


def both_or_all(number: int, plural: str) -> str:
    """Return "both pairs", or "all 3 pairs"."""
    return f"both {plural}" if number == 2 else f"all {number} {plural}"


def any_of(says: str, conditions: Sequence[Condition]) -> Condition:
    """Claim that at least one of several conditions is true, with the numbers of the best.

    It holds if any does, by a p that counts them all (Bonferroni), and is refuted if all are.
    """
    rank = {State.HOLDS: 0, State.OPEN: 1, State.REFUTED: 2}
    best = min(conditions, key=lambda c: (rank[c.state], -_failing(c), c.misses))
    says = f"{says} (closest to holding: {best.says})" if len(conditions) > 1 else says
    if best.p is None:
        return replace(best, says=says)
    p = min(1.0, len(conditions) * best.p)
    p_refuted = max(condition.p_refuted or 0.0 for condition in conditions)
    lost = best.state is State.HOLDS and p > LEVEL
    state = State.OPEN if lost else best.state
    return replace(best, says=says, state=state, p=p, p_refuted=p_refuted)


def _failing(condition: Condition) -> float:
    """Return a sort key within one state: the smaller, the closer to failing."""
    if condition.state is State.REFUTED:
        return condition.p_refuted or 0.0
    return -(condition.p or 0.0)
