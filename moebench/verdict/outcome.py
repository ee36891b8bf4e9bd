"""A verdict: one label for a claim, with every number that led to it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from moebench.papers.claim import Claim, MatchedOn, VerdictLabel
from moebench.verdict import reason
from moebench.verdict.conditions import LEVEL, Condition, State
from moebench.verdict.findings import Findings
from moebench.verdict.matching import timed_apart, unequal
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say about one claim. Numbers that were not measured are None, null in JSON."""

    claim: str  # its key
    version: int
    says: str
    source: str
    verdict: VerdictLabel
    why: str  # one sentence: what decided it
    effect: float | None = None  # in `unit`, of the leading condition
    low: float | None = None  # of its 95% interval
    high: float | None = None
    least: float | None = None  # the smallest value of the effect that counts, if there is one
    most: float | None = None  # the largest value of the effect that counts, if there is one
    interval: str = ""  # method of the interval
    n: int = 0  # number of replicates
    p: float | None = None  # of what the label asserts
    p_adjusted: float | None = None  # by Holm, over the paper's own claims judged together
    preliminary: bool = False  # fewer replicates than the claim asks for
    asked: int = 0  # number of replicates the claim asks for
    unit: str = ""
    replicate: str = "seed"  # the unit of replication: what the claim is said to hold over
    of_paper: bool = True  # a statement of the paper, not a control or an addition of ours
    control_of: str = ""
    expects: str = ""  # of a control: "effect" or "no effect"
    controls: Mapping[str, str] = field(default_factory=dict)  # key -> "null control passed"
    uncontrolled: str = ""  # why a control is missing
    caution: str = ""  # a warning to print beside the label, such as that trials used the seeds
    lost: Sequence[str] = ()  # runs that do not count: "1 of 5 runs of a: failed"
    runs_of: str = ""  # the target whose runs judged it; empty: its own
    paper_values: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by arm
    matched_on: MatchedOn | None = None
    unequal: Mapping[str, float] = field(default_factory=dict)  # "arm to arm" -> ratio of the cost
    timed_apart: Sequence[str] = ()  # "arm to arm", timed on several kinds of machine
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by arm
    leaks: Mapping[str, str] = field(default_factory=dict)  # by arm, only where routing leaks
    power: Mapping[str, float] | None = None  # detectable_effect, seeds_needed for the margin
    conditions: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a map for `json.dumps`; numbers that are not finite become None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    """Replace numbers that JSON cannot express, at any depth."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def not_judged(claim: Claim, label: VerdictLabel, why: str, evidence: Evidence) -> Verdict:
    """Return the verdict on a claim that was not judged."""
    return Verdict(**_common(claim, evidence), verdict=label, why=why)


def conclude(
    claim: Claim, findings: Findings, p_adjusted: float | None, evidence: Evidence
) -> Verdict:
    """Return the verdict on a claim from its conditions and its adjusted p."""
    lead = findings.lead
    common = _common(claim, evidence)
    common["measured"] = {
        arm: {**figures, **findings.notes.get(arm, {})}
        for arm, figures in common["measured"].items()
    }
    return Verdict(
        **{**common, "unit": lead.unit, "caution": reason.caution(claim, findings, evidence)},
        verdict=label_for(claim, findings, p_adjusted),
        why=reason.why(claim, findings, p_adjusted, evidence),
        effect=lead.effect.estimate if lead.effect.n else None,
        low=_finite(lead.effect.low),
        high=_finite(lead.effect.high),
        least=_finite(lead.least),
        most=_finite(lead.most),
        interval=lead.effect.method,
        n=lead.effect.n,
        p=findings.p,
        p_adjusted=p_adjusted,
        preliminary=reason.preliminary(claim, lead),
        power=lead.power,
        conditions=[_listed(condition) for condition in findings.conditions],
    )


def label_for(claim: Claim, findings: Findings, p_adjusted: float | None) -> VerdictLabel:
    """Return the label by the rules in the package's README."""
    lead = findings.lead
    sure = lead.enough and (p_adjusted is None or p_adjusted <= LEVEL)
    state = lead.state if sure else State.OPEN
    if claim.control_of:
        return _of_control(claim, state, bool(findings.under_some))
    if state is State.REFUTED:
        return VerdictLabel.NOT_REPRODUCED
    if state is State.HOLDS:
        all_hold = all(side.state is State.HOLDS for side in findings.sides)
        return VerdictLabel.REPRODUCED if all_hold else VerdictLabel.PARTIAL
    return VerdictLabel.PARTIAL if sure and findings.under_some else VerdictLabel.INCONCLUSIVE


def _of_control(claim: Claim, state: State, under_some: bool) -> VerdictLabel:
    """Return the label of a control; for a null control, one choice with an effect is enough."""
    if claim.expects == "no effect" and under_some:
        return VerdictLabel.FAILED
    if state is State.OPEN:
        return VerdictLabel.UNDECIDED
    return (
        VerdictLabel.PASSED
        if (state is State.HOLDS) == (claim.expects == "effect")
        else VerdictLabel.FAILED
    )


def _common(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    """Return the fields that every verdict has."""
    return {
        "claim": claim.key,
        "version": claim.version,
        "says": claim.says,
        "source": claim.source,
        "unit": claim.test.unit if claim.test else "",
        "asked": claim.seeds,
        "replicate": claim.replicate,
        "of_paper": claim.of_paper,
        "control_of": claim.control_of,
        "expects": claim.expects,
        "uncontrolled": claim.uncontrolled,
        "caution": claim.caution,
        "lost": reason.lost(claim, evidence),
        "runs_of": claim.runs_of,
        "paper_values": claim.paper_values,
        "matched_on": claim.matched_on,
        "measured": evidence.measured(claim.test.metric if claim.test else ""),
        "unequal": unequal(claim, evidence),
        "timed_apart": timed_apart(claim, evidence),
        "costs": evidence.costs(),
        "leaks": evidence.leaks(),
    }


def _listed(condition: Condition) -> dict[str, Any]:
    """Return a condition as a flat map."""
    effect = condition.effect
    return {
        "says": condition.says,
        "choice": condition.choice,
        "state": condition.state,
        "remark": condition.remark,
        "effect": effect.estimate if effect.n else None,
        "low": _finite(effect.low),
        "high": _finite(effect.high),
        "n": effect.n,
        "unit": condition.unit,
        "p": condition.p_of_state,
        "interval": effect.method,
    }


def _finite(value: float) -> float | None:
    """Return the number, or None if it is not finite."""
    return value if math.isfinite(value) else None
