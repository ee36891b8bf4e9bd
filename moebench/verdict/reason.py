"""The sentence that explains a verdict."""

import math
from dataclasses import replace

from moebench.evidence.record import FIRST_FRESH_SEED, RunRecord, tried
from moebench.papers.claim import Claim, units
from moebench.statistics.distributions import Identical
from moebench.verdict.conditions import LEVEL, Condition, State, both_or_all
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


def why(claim: Claim, findings: Findings, p_adjusted: float | None, evidence: Evidence) -> str:
    """Return the sentence that says what decided the verdict."""
    lead = findings.lead
    parts = [*_conditions(findings), *_chance(findings, p_adjusted)]
    needed = (lead.power or {}).get("seeds_needed", 0)
    if lead.state is State.OPEN and needed > lead.effect.n:  # otherwise more seeds would not help
        seeds = f"{needed:.0f} {units(claim.replicate)}"
        small = "showing that a difference is smaller than"
        what = small if lead.sides == 2 else "detecting an effect as large as"
        parts.append(f"{what} the margin with 80% power takes {seeds}")
    parts += [text for text in (findings.remark, caution(claim, findings, evidence)) if text]
    if preliminary(claim, lead):
        parts.append(f"preliminary: {lead.effect.n} of {claim.seeds} {units(claim.replicate)}")
    return "; ".join([*parts, *lost(claim, evidence)]) + "."


def lost(claim: Claim, evidence: Evidence) -> list[str]:
    """Return a clause for each kind of run that does not count."""
    return [
        f"{count} of {len(evidence.runs[arm])} runs of {arm}: {what.replace('_', ' ')}"
        for arm in claim.arms
        for what, count in evidence.lost(claim.test.metric if claim.test else "", arm).items()
    ]


def caution(claim: Claim, findings: Findings, evidence: Evidence) -> str:
    """Return the claim's own caution and those that arise from these runs."""
    cautions = (claim.caution, findings.caution, _tried(evidence), _written_after(claim, evidence))
    return "; ".join(text for text in cautions if text)


def _tried(evidence: Evidence) -> str:
    """Say that trials may have used the seeds of these runs, if so."""
    used = any(tried(run) for of_arm in evidence.runs.values() for run in of_arm.values())
    return f"judged on seeds below {FIRST_FRESH_SEED}, which trials may have used" if used else ""


def _written_after(claim: Claim, evidence: Evidence) -> str:
    """Say how many runs are older than the wording of their claim, which they may have shaped."""
    runs = [run for of_arm in evidence.runs.values() for run in of_arm.values()]
    before = [run for run in runs if _version_then(run, claim) != claim.version]
    if not (claim.trained and before):
        return ""
    which = "its runs" if len(before) == len(runs) else f"{len(before)} of its {len(runs)} runs"
    known = any(_version_then(run, claim) is not None for run in before)
    changed = f"changed to version {claim.version}" if known else "filed"
    return f"{changed} after {which} were made"


def _version_then(run: RunRecord, claim: Claim) -> int | None:
    """Return the version of a claim when a run was made; None if the claim did not exist yet."""
    if run.claims is None:
        return None if claim.late else 1
    return run.claims.get(claim.key)


def preliminary(claim: Claim, lead: Condition) -> bool:
    """Say whether a claim rests on fewer replicates than it asks for."""
    return lead.p is not None and lead.effect.n < claim.seeds


def _chance(findings: Findings, p_adjusted: float | None) -> list[str]:
    """Return the p of what the verdict asserts, and the effect of its correction."""
    if findings.p is None or (findings.lead.state is State.OPEN and not findings.under_some):
        return []
    if findings.lead.effect.method == Identical.method:
        return ["identical values have no spread, so there is no p"]
    if p_adjusted is None:
        return [f"p = {findings.p:.2g}"]
    lost = ", not significant among so many claims" if p_adjusted > LEVEL else ""
    return [f"Holm-adjusted p = {p_adjusted:.2g}{lost}"]


def _conditions(findings: Findings) -> list[str]:
    """Return the lead and the sides as clauses; with several choices, where the lead holds."""
    sides = [_clause(side) for side in findings.sides]
    if not findings.choices:
        return [_clause(findings.lead), *sides]
    parts = [f"{findings.lead.says}: {findings.lead.state} overall"]
    for state in State:
        found = [one.choice or one.says for one in findings.choices if one.state is state]
        if found:
            total = len(findings.choices)
            some = f"{len(found)} of {total} choices"
            count = some if len(found) < total else both_or_all(total, "choices")
            parts.append(f"{state} under {count} ({'; '.join(found)})")
    shown = next(one for one in findings.choices if one.effect == findings.lead.effect)
    name = f"{shown.choice}: {shown.says}" if shown.choice else shown.says
    return [*parts, f"numbers shown: {_clause(replace(shown, says=name))}", *sides]


def _clause(condition: Condition) -> str:
    """Return a condition with its state and numbers."""
    effect, state = condition.effect, condition.state
    read = f" ({condition.remark})" if condition.remark else ""
    if effect.n == 0 or (math.isinf(effect.low) and math.isinf(effect.high)):
        few = condition.remark or f"too few finished runs ({effect.n})"
        return f"{condition.says}: {state}, {few}"
    if effect.low == effect.high:
        text = f"{condition.says}: {state}{read}, {effect.estimate:.3g} {condition.unit}".rstrip()
        same = effect.method == Identical.method
        return f"{text}, the same value {effect.n} times" if same else text
    ends = f"[{effect.low:.3g}, {effect.high:.3g}]"
    zero = abs(effect.estimate) < 1e-9 * (effect.high - effect.low)  # up to rounding
    estimate = f"{0.0 if zero else effect.estimate:.3g}"
    return f"{condition.says}: {state}{read}, {estimate} {ends} {condition.unit}".rstrip()
