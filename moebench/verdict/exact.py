"""Test of claims that follow, or do not, from a computation: no seeds, no interval, no p."""

from collections.abc import Mapping

from moebench.claims import Claim
from moebench.statistics import Interval
from moebench.verdict.conditions import EXACT, Condition, State
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def exact(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: metrics of a computed record are equal to stated values, or at least as large.

    The effect is the deviation that speaks most against the claim. Arms: (computed arm,).
    Settings: `equals` and `at_least`, each metric -> stated value, and `tolerance`.
    """
    (arm,) = claim.arms
    records = list(evidence.finished(arm).values())
    metrics = records[0].metrics if records else {}
    tolerance = claim.settings.get("tolerance", 1e-9)
    conditions = []
    for relation in ("equals", "at_least"):
        stated = claim.settings.get(relation, {})
        if stated:
            conditions.append(_stated(claim, relation, stated, metrics, tolerance))
    return Findings(conditions)


def _stated(
    claim: Claim,
    relation: str,
    stated: Mapping[str, float],
    metrics: Mapping[str, float],
    tolerance: float,
) -> Condition:
    """Return the condition that all metrics are as stated, with the deviation farthest from it."""
    if absent := [name for name in stated if name not in metrics]:
        says = f"the computed record has no {', '.join(absent)}"
        return Condition(says, State.OPEN, Interval(0.0, 0.0, 0.0, 0, EXACT), claim.unit)
    deviation = {name: metrics[name] - value for name, value in stated.items()}
    against = {n: abs(d) if relation == "equals" else -d for n, d in deviation.items()}
    worst = max(against, key=against.__getitem__)
    state = State.HOLDS if against[worst] <= tolerance else State.REFUTED
    word = "equal to" if relation == "equals" else "at least"
    says = f"{worst} is {metrics[worst]:.6g}, stated {word} {stated[worst]:.6g}"
    if len(stated) > 1:
        says += f" (farthest of {len(stated)} values)"
    value = deviation[worst]
    return Condition(says, state, Interval(value, value, value, 1, EXACT), claim.unit)
