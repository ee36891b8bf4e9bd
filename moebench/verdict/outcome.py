"""A verdict: one of five words for a claim, with every number that led to it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from moebench.claims import Claim, MatchedOn, Word
from moebench.verdict.conditions import LEVEL, Condition, State
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings

TOLD = 4  # conditions that one sentence can hold


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say about one claim. Numbers nobody measured are None, and null in JSON."""

    claim: str  # its key
    version: int
    says: str
    source: str
    verdict: Word
    why: str  # one sentence: what decided it
    effect: float | None = None  # in `unit`, of the leading condition
    low: float | None = None  # of its 95% interval
    high: float | None = None
    interval: str = ""  # method of the interval
    n: int = 0  # seeds that went into it
    p: float | None = None
    p_adjusted: float | None = None  # by Holm, over the claims of the paper judged together
    preliminary: bool = False  # fewer seeds than the claim asks for
    unit: str = ""
    paper_values: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by arm
    matched_on: MatchedOn | None = None
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by arm
    leaks: Mapping[str, str] = field(default_factory=dict)  # of the arms whose routing leaks
    power: Mapping[str, float] | None = None  # detectable_effect, seeds_needed for the margin
    conditions: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes; a number that is not finite becomes None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    """Replace numbers that JSON does not have, at any depth."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def not_testable(claim: Claim, why: str, evidence: Evidence) -> Verdict:
    """Return the verdict on a claim that cannot be judged."""
    return Verdict(**_common(claim, evidence), verdict=Word.NOT_TESTABLE, why=why)


def conclude(
    claim: Claim, findings: Findings, p_adjusted: float | None, evidence: Evidence
) -> Verdict:
    """Return the verdict on a claim from its conditions and its adjusted p."""
    lead = findings.lead
    word = word_for(findings, p_adjusted)
    common = _common(claim, evidence)
    common["measured"] = {
        arm: {**figures, **findings.notes.get(arm, {})}
        for arm, figures in common["measured"].items()
    }
    return Verdict(
        **{**common, "unit": lead.unit},
        verdict=word,
        why=_why(claim, findings, p_adjusted, evidence),
        effect=lead.effect.estimate if lead.effect.n else None,
        low=_finite(lead.effect.low),
        high=_finite(lead.effect.high),
        interval=lead.effect.method,
        n=lead.effect.n,
        p=findings.p,
        p_adjusted=p_adjusted,
        preliminary=lead.effect.n < claim.seeds,
        power=lead.power,
        conditions=[_listed(condition) for condition in findings.conditions],
    )


def word_for(findings: Findings, p_adjusted: float | None) -> Word:
    """Return the word, by the rules in the docstring of the package."""
    if not findings.enough:
        return Word.INCONCLUSIVE
    states = {condition.state for condition in findings.conditions}
    if p_adjusted is not None and p_adjusted > LEVEL:
        states.discard(State.HOLDS)
    if findings.lead.state is State.REFUTED or (
        State.HOLDS not in states and State.REFUTED in states
    ):
        return Word.NOT_REPRODUCED
    if State.HOLDS not in states:
        return Word.INCONCLUSIVE
    return Word.REPRODUCED if states == {State.HOLDS} else Word.PARTIAL


def _common(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    """Return the fields that every verdict has."""
    return {
        "claim": claim.key,
        "version": claim.version,
        "says": claim.says,
        "source": claim.source,
        "unit": claim.unit,
        "paper_values": claim.paper_values,
        "matched_on": claim.matched_on,
        "measured": evidence.measured(claim.metric),
        "costs": evidence.costs(),
        "leaks": evidence.leaks(),
    }


def _why(claim: Claim, findings: Findings, p_adjusted: float | None, evidence: Evidence) -> str:
    """Return the sentence that says what decided the verdict."""
    parts, lead = _told(findings), findings.lead
    if p_adjusted is not None and findings.holding:
        parts.append(f"Holm-adjusted p = {p_adjusted:.2g}")
    if lead.state is State.OPEN and lead.power and "seeds_needed" in lead.power:
        seeds = lead.power["seeds_needed"]
        parts.append(f"an effect of {claim.margin:g} {lead.unit} would need {seeds:.0f} seeds")
    if findings.remark:
        parts.append(findings.remark)
    if lead.effect.n < claim.seeds:
        parts.append(f"preliminary, {lead.effect.n} of {claim.seeds} seeds")
    parts += [
        f"{count} of {len(evidence.runs[arm])} runs of {arm}: {status.replace('_', ' ')}"
        for arm in claim.arms
        for status, count in evidence.failures(arm).items()
    ]
    return "; ".join(parts) + "."


def _told(findings: Findings) -> list[str]:
    """Return the conditions as clauses; of many only the leading one, and how many there are."""
    conditions = findings.conditions
    if len(conditions) <= TOLD:
        return [_clause(condition) for condition in conditions]
    counts = Counter(condition.state for condition in conditions)
    states = ", ".join(f"{state} {counts[state]}" for state in State if counts[state])
    return [_clause(findings.lead), f"of all {len(conditions)} conditions: {states}"]


def _clause(condition: Condition) -> str:
    """Return a condition with its state and numbers."""
    effect, state = condition.effect, condition.state
    if effect.n == 0 or not math.isfinite(effect.low + effect.high):
        return f"{condition.says}: {state}, too few finished runs ({effect.n})"
    if effect.low == effect.high:
        return f"{condition.says}: {state}, {effect.estimate:.3g} {condition.unit}"
    interval = f"[{effect.low:.3g}, {effect.high:.3g}]"
    return f"{condition.says}: {state}, {effect.estimate:.3g} {interval} {condition.unit}"


def _listed(condition: Condition) -> dict[str, Any]:
    """Return a condition as a flat map."""
    effect = condition.effect
    return {
        "says": condition.says,
        "state": condition.state,
        "effect": effect.estimate if effect.n else None,
        "low": _finite(effect.low),
        "high": _finite(effect.high),
        "n": effect.n,
        "unit": condition.unit,
        "p": condition.p,
        "interval": effect.method,
    }


def _finite(value: float) -> float | None:
    """Return the number, None where it is not finite."""
    return value if math.isfinite(value) else None
