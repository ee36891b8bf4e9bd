"""Conditions: the single statements that make up a claim, each tested against an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import inf, sqrt

from moebench.statistics import Interval, Values, detectable_effect, seeds_needed
from moebench.statistics.estimates import Estimate, Known, Student, mean
from moebench.verdict.claimed import Claimed

LEVEL = 0.05  # of every test
POWER = 0.8  # chance with which enough seeds decide


class State(StrEnum):
    """What the runs say about a condition."""

    HOLDS = "holds"
    REFUTED = "refuted"
    OPEN = "open"


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
    sides: int = 1  # on which chance can spoil it: 2 if the effect must lie between two limits
    least: float = -inf  # the smallest value that counts
    most: float = inf  # the largest value that counts

    @cached_property
    def power(self) -> dict[str, float] | None:
        """The margin that this many pairs decide, and the seeds needed to decide the claim's own.

        Computed on demand: of many conditions, a verdict prints the power of one.
        """
        if self.sd is None:
            return None
        found = {"detectable_effect": self.detectable(self.effect.n)}
        return found if self.needed is None else {**found, "seeds_needed": self.needed}

    def detectable(self, pairs: int) -> float:
        """Return the smallest margin that so many pairs decide; infinite without a spread.

        An absent effect is refuted with a chance of 80%, and one of one and a half margins holds
        with at least that chance; of a claim of no difference, one that is absent holds.
        """
        return inf if self.sd is None else detectable_effect(self.sd, pairs, self._chance)

    @cached_property
    def needed(self) -> int | None:
        """The pairs that decide it with that chance; None without a spread or a margin."""
        if self.sd is None or not self.margin:
            return None
        return seeds_needed(self.margin, self.sd, self._chance)

    @property
    def _chance(self) -> float:
        """The chance to reach on each side, for that of all to be reached."""
        return 1 - (1 - POWER) / self.sides

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
    return Condition(
        *(says, state, effect, unit, p, p_refuted, remark, choice, misses),
        sd=_sd(estimate),
        margin=claimed.margin,
        sides=claimed.sides,
        least=claimed.low,
        most=claimed.high,
    )


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
