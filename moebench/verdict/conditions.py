"""Conditions: the single statements a claim comes down to, each held against an interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from moebench.claims import Claim
from moebench.statistics import (
    Interval,
    Values,
    detectable_effect,
    equivalence_p,
    mean_interval,
    mean_p,
    seeds_needed,
)
from moebench.verdict.evidence import Evidence

LEVEL = 0.05  # of every test
EXACT = "exact"  # method of an interval that is a computed number, not an estimate


class State(StrEnum):
    """What the runs say about a condition."""

    HOLDS = "holds"
    REFUTED = "refuted"
    OPEN = "open"


@dataclass(frozen=True)
class Condition:
    """One statement with what was measured about it."""

    says: str  # "switch_cf1.25 has a lower valid/loss than dense"
    state: State
    effect: Interval
    unit: str
    p: float | None = None  # of the statement being false; None where it is not a test
    power: Mapping[str, float] | None = None  # what more seeds would show


def one_sided(interval: Interval, p: float, margin: float = 0.0) -> State:
    """Judge a claim of an effect above zero, of which `margin` is the smallest that would count."""
    if interval.low > 0 and p <= LEVEL:
        return State.HOLDS
    return State.REFUTED if interval.high < margin or interval.high <= 0 else State.OPEN


def above_zero(
    says: str, differences: Values, evidence: Evidence, unit: str, margin: float = 0.0
) -> Condition:
    """Claim that the mean of differences, one a seed, is above zero.

    Its p is the two-sided one where the mean is on the claimed side, and one where it is not.
    """
    interval = mean_interval(differences, evidence.rng)
    p = mean_p(differences) if interval.estimate > 0 else 1.0
    power = _power(differences, margin)
    return Condition(says, one_sided(interval, p, margin), interval, unit, p, power)


def below_zero(
    says: str, differences: Values, evidence: Evidence, unit: str, margin: float = 0.0
) -> Condition:
    """Claim that the mean of differences, one a seed, is below zero."""
    return mirrored(above_zero(says, -differences, evidence, unit, margin))


def stays_below(
    says: str, values: Values, limit: float, evidence: Evidence, unit: str
) -> Condition:
    """Claim that the mean of values, one a seed, is below a limit; the effect is the mean."""
    found = below_zero(says, values - limit, evidence, unit)
    return replace(found, effect=found.effect.mapped(lambda excess: excess + limit))


def stays_above(
    says: str, values: Values, limit: float, evidence: Evidence, unit: str
) -> Condition:
    """Claim that the mean of values, one a seed, is above a limit; the effect is the mean."""
    found = above_zero(says, values - limit, evidence, unit)
    return replace(found, effect=found.effect.mapped(lambda excess: excess + limit))


def best_of(condition: Condition, number: int) -> Condition:
    """Return a condition that was picked, by its own effect, from so many: its p counts them all.

    By Bonferroni; the interval stays that of the one.
    """
    if condition.p is None:
        return condition
    p = min(1.0, number * condition.p)
    lost = condition.state is State.HOLDS and p > LEVEL
    return replace(condition, p=p, state=State.OPEN if lost else condition.state)


def mirrored(condition: Condition) -> Condition:
    """Return the condition with its effect in the other direction."""
    return replace(condition, effect=condition.effect.mapped(lambda effect: -effect))


def compare(claim: Claim, evidence: Evidence, arms: tuple[str, str], direction: str) -> Condition:
    """Claim that the first of two arms has a lower, or higher, metric than the second."""
    first, second = evidence.paired(claim.metric, *arms)
    test = below_zero if direction == "lower" else above_zero
    says = f"{arms[0]} has a {direction} {claim.metric} than {arms[1]}"
    return test(says, first - second, evidence, claim.unit, claim.margin)


def equivalent(
    says: str, differences: Values, evidence: Evidence, unit: str, margin: float
) -> Condition:
    """Claim that the mean of differences is inside the margins, by two one-sided tests.

    Refuted when the whole 95% interval is outside them, on one side.
    """
    interval = mean_interval(differences, evidence.rng)
    p = equivalence_p(differences, margin)
    outside = interval.low > margin or interval.high < -margin
    state = State.HOLDS if p <= LEVEL else State.REFUTED if outside else State.OPEN
    return Condition(says, state, interval, unit, p, _power(differences, margin))


def all_of(says: str, conditions: Sequence[Condition]) -> Condition:
    """Claim several conditions as one; it shows the numbers of the one that does worst."""
    rank = {State.REFUTED: 0, State.OPEN: 1, State.HOLDS: 2}
    worst = min(conditions, key=lambda c: (rank[c.state], -(c.p or 0.0)))
    return replace(worst, says=f"{says} (nearest to failing: {worst.says})")


def _power(differences: Values, margin: float) -> dict[str, float] | None:
    """Return the detectable effect at this number of pairs, and the seeds the margin would need."""
    n = len(differences)
    if n < 2:
        return None
    sd = float(differences.std(ddof=1))
    found = {"detectable_effect": detectable_effect(sd, n)}
    return {**found, "seeds_needed": seeds_needed(margin, sd)} if margin else found
