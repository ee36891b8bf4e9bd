"""Tests of claims about a row of arms that differ in one number, such as that of experts."""

from dataclasses import replace

from moebench.claims import Claim
from moebench.statistics import Values, jonckheere_p, overflow_share
from moebench.verdict.conditions import (
    LEVEL,
    Condition,
    State,
    all_of,
    compare,
    equivalent,
    stays_below,
)
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def trend(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metric falls (or rises) from arm to arm, and the second arm beats the first.

    The Jonckheere-Terpstra test, at the level of the setting `level`. It is refuted where the
    difference of last and first arm is. Arms: in the claimed order.
    """
    first, second, *_ = claim.arms
    ends = compare(claim, evidence, (claim.arms[-1], first), claim.direction)
    groups = evidence.paired(claim.metric, *claim.arms)
    p = jonckheere_p(groups, "less" if claim.direction == "lower" else "greater")
    state = State.REFUTED if ends.state is State.REFUTED else State.OPEN
    if ends.effect.n > 1 and p <= claim.settings.get("level", LEVEL):
        state = State.HOLDS
    says = f"{claim.metric} is {claim.direction} from arm to arm, {first} to {claim.arms[-1]}"
    row = replace(ends, says=says, state=state, p=p)
    return Findings([row, compare(claim, evidence, (second, first), claim.direction)])


def flat_share(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: a share of drops stays below a limit in every arm and does not depend on the arm.

    Even uniformly random routing drops a share, `overflow_share`, which grows with the number of
    experts; it is printed beside each arm as its `floor`. An arm above the limit refutes the claim
    only if it is above its floor too, and a difference of last and first arm only if it is larger
    than that of their floors and the Jonckheere-Terpstra test sees a trend.

    Arms: by number of experts. Settings: `limit`, `experts` (one number an arm) and `factor` (of
    capacity); the tokens of a batch are routed together.
    """
    floors = _floors(claim, evidence)
    bounds = [_below_limit(claim, evidence, arm, floor) for arm, floor in floors.items()]
    notes = {arm: {"floor": floor} for arm, floor in floors.items()}
    says = f"every arm drops less than {claim.settings['limit']:.3g}"
    conditions = [all_of(says, bounds), _flat(claim, evidence, floors)]
    largest = max(floors.values())
    remark = f"uniformly random routing would drop up to {largest:.2g}"
    return Findings(conditions, notes, remark)


def _floors(claim: Claim, evidence: Evidence) -> dict[str, float]:
    """Return arm -> the share that uniformly random routing drops; nought for one without runs."""
    floors = dict.fromkeys(claim.arms, 0.0)
    for arm, count in zip(claim.arms, claim.settings["experts"], strict=True):
        for record in evidence.finished(arm).values():
            tokens = record.tokens // record.steps
            rows = int(claim.settings["factor"] * tokens / count)
            floors[arm] = overflow_share(rows, tokens, count)
    return floors


def _below_limit(claim: Claim, evidence: Evidence, arm: str, floor: float) -> Condition:
    """Return the condition that an arm drops less than the limit."""
    values, limit = evidence.sample(claim.metric, arm), claim.settings["limit"]
    found = stays_below(arm, values, limit, evidence, claim.unit)
    if found.state is State.REFUTED and found.effect.low <= floor:
        return replace(found, state=State.OPEN, says=f"{arm} is at the floor of random routing")
    return found


def _flat(claim: Claim, evidence: Evidence, floors: dict[str, float]) -> Condition:
    """Return the condition that first and last arm drop the same."""
    values: list[Values] = evidence.paired(claim.metric, *claim.arms)
    first, last = claim.arms[0], claim.arms[-1]
    says = f"{last} and {first} differ by less than {claim.margin:.3g}"
    found = equivalent(says, values[-1] - values[0], evidence, claim.unit, claim.margin)
    if found.state is not State.REFUTED:
        return found
    if 0 < found.effect.low <= floors[last] - floors[first]:
        return replace(found, state=State.OPEN, says=f"{last} drops more, as random routing would")
    trends = jonckheere_p(values, "two-sided") <= LEVEL
    return found if trends else replace(found, state=State.OPEN)
