"""From claims and records to verdicts. Pure: equal input gives equal verdicts; trains nothing.

The rules stand in README.md beside this file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, VerdictLabel
from moebench.papers.plan import Plan
from moebench.statistics import holm
from moebench.verdict.controls import bound
from moebench.verdict.findings import Findings
from moebench.verdict.mixture import mixed, mixed_arm
from moebench.verdict.outcome import Verdict, conclude, not_judged
from moebench.verdict.paired_runs import Evidence

__all__ = ["Verdict", "VerdictLabel", "judge"]


@dataclass(frozen=True)
class _Case:
    """A claim with its runs, and either what its test found or why it is not judged."""

    claim: Claim
    evidence: Evidence
    findings: Findings | None = None
    word: VerdictLabel = VerdictLabel.INCONCLUSIVE
    reason: str = ""

    @property
    def p(self) -> float | None:
        """The p that is corrected together with those of the paper's other claims."""
        return self.findings.p if self.findings and self.claim.of_paper else None


def judge(
    claims: Sequence[Claim],
    records: Iterable[RunRecord],
    profile: str,
    elsewhere: Mapping[str, Sequence[RunRecord]] | None = None,
    plan: Plan | None = None,
) -> list[Verdict]:
    """Return one verdict a claim, in their order.

    Args:
        claims: of one paper; the p values of its own statements are corrected together.
        records: of any profile and status.
        profile: whose records count.
        elsewhere: target -> records, for claims that the runs of another target judge.
        plan: of the paper, which knows the profile that has the runs a claim lacks.

    Raises:
        ValueError: for two records of one arm and seed.
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
            verdicts.append(not_judged(case.claim, case.word, case.reason, case.evidence))
        else:
            p = None if case.p is None else next(adjusted)
            verdicts.append(conclude(case.claim, case.findings, p, case.evidence))
    return bound(claims, verdicts)


def _examine(claim: Claim, records: Sequence[RunRecord], profile: str, plan: Plan | None) -> _Case:
    """Run the test of a claim, if it has one and the runs for it."""
    evidence = Evidence.of(claim.arms, records)
    if claim.test is None:
        word = VerdictLabel.NOT_TESTABLE if claim.out_of_reach else VerdictLabel.NOT_IMPLEMENTED
        return _Case(claim, evidence, word=word, reason=claim.because)
    if profile == "smoke":
        reason = "The profile smoke checks that everything runs and judges nothing."
        return _Case(claim, evidence, word=VerdictLabel.NEEDS_FULL, reason=reason)
    if evidence.missing:
        word, reason = _lacking(claim, evidence.missing, profile, plan)
        return _Case(claim, evidence, word=word, reason=reason)
    if why := mixed(claim, evidence):
        # Runs of two kinds have no mean, in the table of costs neither.
        unlike = [arm for arm, runs in evidence.runs.items() if mixed_arm(runs.values())]
        reason = f"Mixed evidence, which is not judged: {why}."
        return _Case(claim, evidence.without(unlike), reason=reason)
    return _Case(claim, evidence, claim.test.judge(evidence))


def _lacking(
    claim: Claim, missing: Sequence[str], profile: str, plan: Plan | None
) -> tuple[VerdictLabel, str]:
    """Return the word for a claim without the runs it needs, and the reason."""
    where = f" of {claim.runs_of}" if claim.runs_of else ""
    told = f"No runs of {', '.join(missing)} in the profile {profile}{where}"
    if claim.runs_of or plan is None:
        beyond = profile == "full" and not claim.runs_of
        return VerdictLabel.NEEDS_GPU if beyond else VerdictLabel.NEEDS_FULL, f"{told}."
    has = [
        one.name
        for one in plan.profiles
        if one.name != "smoke" and all(plan.runs(one, arm) for arm in missing)
    ]
    if profile in has:
        told += ", which are still to be made"
    elif has:
        told += f"; the profile {has[0]} has them"
    needed = profile if profile in has else (has or ["full"])[0]
    return VerdictLabel.NEEDS_GPU if needed == "gpu" else VerdictLabel.NEEDS_FULL, f"{told}."
