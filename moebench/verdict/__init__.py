"""From claims and records to verdicts: pure functions, no training.

The rules are in README.md beside this file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, VerdictLabel
from moebench.papers.plan import Plan
from moebench.statistics import holm
from moebench.verdict.controls import apply_controls
from moebench.verdict.findings import Findings
from moebench.verdict.mixed_evidence import mixed_arm, mixed_claim
from moebench.verdict.outcome import Verdict, conclude, not_judged
from moebench.verdict.paired_runs import Evidence

__all__ = ["Verdict", "VerdictLabel", "judge"]


@dataclass(frozen=True)
class _Case:
    """A claim with its runs, and either its test's findings or the reason it was not judged."""

    claim: Claim
    evidence: Evidence
    findings: Findings | None = None
    label: VerdictLabel = VerdictLabel.INCONCLUSIVE
    reason: str = ""

    @property
    def p(self) -> float | None:
        """The p to correct together with those of the paper's other claims."""
        return self.findings.p if self.findings and self.claim.of_paper else None


def judge(
    claims: Sequence[Claim],
    records: Iterable[RunRecord],
    profile: str,
    elsewhere: Mapping[str, Sequence[RunRecord]] | None = None,
    plan: Plan | None = None,
) -> list[Verdict]:
    """Return one verdict per claim, in the order given.

    Args:
        claims: the claims of one paper; the p values of its own statements are corrected together.
        records: the paper's records, of any profile and status.
        profile: the profile whose records count.
        elsewhere: target -> records, for claims judged by another target's runs.
        plan: the paper's plan; it tells which profile has the runs that a claim is missing.

    Raises:
        ValueError: if two records have the same arm and seed.
    """
    by_target = {"": records, **(elsewhere or {})}
    ours = {
        target: [one for one in found if one.profile == profile]
        for target, found in by_target.items()
    }
    cases = [_examine(claim, ours.get(claim.runs_of, []), profile, plan) for claim in claims]
    adjusted = iter(holm([case.p for case in cases if case.p is not None]))
    verdicts = []
    for case in cases:
        if case.findings is None:
            verdicts.append(not_judged(case.claim, case.label, case.reason, case.evidence))
        else:
            p = None if case.p is None else next(adjusted)
            verdicts.append(conclude(case.claim, case.findings, p, case.evidence))
    return apply_controls(claims, verdicts)


def _examine(claim: Claim, records: Sequence[RunRecord], profile: str, plan: Plan | None) -> _Case:
    """Run a claim's test if it has one and its runs are there."""
    evidence = Evidence.of(claim.arms, records)
    if claim.test is None:
        label = VerdictLabel.NOT_TESTABLE if claim.out_of_reach else VerdictLabel.NOT_IMPLEMENTED
        return _Case(claim, evidence, label=label, reason=claim.because)
    if profile == "smoke":
        reason = "The profile smoke only checks that everything runs."
        return _Case(claim, evidence, label=VerdictLabel.NEEDS_FULL, reason=reason)
    if evidence.missing:
        label, reason = _lacking(claim, evidence.missing, profile, plan)
        return _Case(claim, evidence, label=label, reason=reason)
    if why := mixed_claim(claim, evidence):
        # Averaging over unlike runs would be meaningless, in the table of costs as well.
        unlike = [arm for arm, runs in evidence.runs.items() if mixed_arm(runs.values())]
        reason = f"Not judged, because the evidence is mixed: {why}."
        return _Case(claim, evidence.without(unlike), reason=reason)
    return _Case(claim, evidence, claim.test.judge(evidence))


def _lacking(
    claim: Claim, missing: Sequence[str], profile: str, plan: Plan | None
) -> tuple[VerdictLabel, str]:
    """Return the label and the reason for a claim whose runs are missing."""
    where = f" of {claim.runs_of}" if claim.runs_of else ""
    reason = f"No runs of {', '.join(missing)} in the profile {profile}{where}"
    if claim.runs_of or plan is None:
        beyond = profile == "full" and not claim.runs_of
        return VerdictLabel.NEEDS_GPU if beyond else VerdictLabel.NEEDS_FULL, f"{reason}."
    has = [
        one.name
        for one in plan.profiles
        if one.name != "smoke" and all(plan.runs(one, arm) for arm in missing)
    ]
    if profile in has:
        reason += " yet"
    elif has:
        reason += f"; the profile {has[0]} has them"
    needed = profile if profile in has else (has or ["full"])[0]
    return VerdictLabel.NEEDS_GPU if needed == "gpu" else VerdictLabel.NEEDS_FULL, f"{reason}."
