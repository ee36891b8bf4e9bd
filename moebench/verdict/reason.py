"""The sentence that says why a verdict is what it is."""

import math
from dataclasses import replace

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, units
from moebench.statistics.distributions import Identical
from moebench.verdict.conditions import LEVEL, Condition, State
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


def why(claim: Claim, findings: Findings, p_adjusted: float | None, evidence: Evidence) -> str:
    """Return the sentence that says what decided the verdict."""
    lead = findings.lead
    parts = [*_told(findings), *_chance(findings, p_adjusted)]
    needed = (lead.power or {}).get("seeds_needed", 0)
    if lead.state is State.OPEN and needed > lead.effect.n:  # else it is not seeds that lack
        seeds = f"{needed:.0f} {units(claim.replicate)}"
        parts.append(f"it takes {seeds} to tell an effect of the margin from none, 4 times in 5")
    parts += [text for text in (findings.remark, caution(claim, findings, evidence)) if text]
    if preliminary(claim, lead):
        parts.append(f"preliminary, {lead.effect.n} of {claim.seeds} {units(claim.replicate)}")
    return "; ".join([*parts, *lost(claim, evidence)]) + "."


def lost(claim: Claim, evidence: Evidence) -> list[str]:
    """Return a clause on every kind of run that does not count."""
    return [
        f"{count} of {len(evidence.runs[arm])} runs of {arm}: {what.replace('_', ' ')}"
        for arm in claim.arms
        for what, count in evidence.lost(claim.test.metric if claim.test else "", arm).items()
    ]


def caution(claim: Claim, findings: Findings, evidence: Evidence) -> str:
    """Return what is to be known beside the word: always, and with these runs."""
    cautions = (claim.caution, findings.caution, _written_after(claim, evidence))
    return "; ".join(text for text in cautions if text)


def _written_after(claim: Claim, evidence: Evidence) -> str:
    """Say how many of its runs are older than the words of a claim: they may have shaped it."""
    runs = [run for of_arm in evidence.runs.values() for run in of_arm.values()]
    before = [run for run in runs if _version_then(run, claim) != claim.version]
    if not (claim.trained and before):
        return ""
    which = "its runs" if len(before) == len(runs) else f"{len(before)} of its {len(runs)} runs"
    known = any(_version_then(run, claim) is not None for run in before)
    changed = f"changed to version {claim.version}" if known else "filed"
    return f"{changed} after {which}"


def _version_then(run: RunRecord, claim: Claim) -> int | None:
    """Return the version of a claim when a run was made; None if the claim was not there yet."""
    if run.claims is None:
        return None if claim.late else 1
    return run.claims.get(claim.key)


def preliminary(claim: Claim, lead: Condition) -> bool:
    """Say whether a claim rests on less than it asks for."""
    return lead.p is not None and lead.effect.n < claim.seeds


def _chance(findings: Findings, p_adjusted: float | None) -> list[str]:
    """Return the p of what is asserted, and what its correction did."""
    if findings.p is None or (findings.lead.state is State.OPEN and not findings.under_some):
        return []
    if findings.lead.effect.method == Identical.method:
        return ["values that are all the same have no spread, and so no p"]
    if p_adjusted is None:
        return [f"p = {findings.p:.2g}"]
    lost = ", so it stays open among so many claims" if p_adjusted > LEVEL else ""
    return [f"Holm-adjusted p = {p_adjusted:.2g}{lost}"]


def _told(findings: Findings) -> list[str]:
    """Return the lead and the sides as clauses; of many choices where it holds and where not."""
    sides = [_clause(side) for side in findings.sides]
    if not findings.choices:
        return [_clause(findings.lead), *sides]
    parts = [f"{findings.lead.says}: {findings.lead.state} as a whole"]
    for state in State:
        found = [one.choice or one.says for one in findings.choices if one.state is state]
        if found:
            count = f"{len(found)} of {len(findings.choices)} choices"
            parts.append(f"{state} under {count} ({'; '.join(found)})")
    shown = next(one for one in findings.choices if one.effect == findings.lead.effect)
    name = f"{shown.choice}: {shown.says}" if shown.choice else shown.says
    return [*parts, f"shown is {_clause(replace(shown, says=name))}", *sides]


def _clause(condition: Condition) -> str:
    """Return a condition with its state and numbers."""
    effect, state = condition.effect, condition.state
    read = f" ({condition.remark})" if condition.remark else ""
    if effect.n == 0 or (math.isinf(effect.low) and math.isinf(effect.high)):
        few = condition.remark or f"too few finished runs ({effect.n})"
        return f"{condition.says}: {state}, {few}"
    if effect.low == effect.high:
        told = f"{condition.says}: {state}{read}, {effect.estimate:.3g} {condition.unit}".rstrip()
        return f"{told}, the same {effect.n} times" if effect.method == Identical.method else told
    ends = f"[{effect.low:.3g}, {effect.high:.3g}]"
    nought = abs(effect.estimate) < 1e-9 * (effect.high - effect.low)  # but for rounding
    estimate = f"{0.0 if nought else effect.estimate:.3g}"
    return f"{condition.says}: {state}{read}, {estimate} {ends} {condition.unit}".rstrip()
