"""From claims and records to verdicts. Pure: equal input gives equal verdicts; trains nothing.

**Runs.** Only records of the profile that is judged count. Arms are paired by seed; a seed that
finished in one arm only is left out. Runs that diverged or failed are counted and named.

**Conditions.** A test turns a claim into conditions, the leading one first. A condition claims an
effect above zero (or below), of which the margin m >= 0 is the smallest that would count. It

* holds if the whole 95% interval is on the claimed side of zero and p <= 0.05, however small;
* else is refuted if the interval excludes every effect of at least m in the claimed direction;
* is open otherwise, in particular with fewer than two pairs.

Equivalence within m holds by two one-sided tests, and is refuted by an interval wholly outside.

**Words.** With fewer than two pairs in the leading condition a claim is `inconclusive`. Else it is

* `not reproduced` if the leading condition is refuted, or if some are refuted and none holds;
* `reproduced` if all hold;
* `partial` if some hold, and not all;
* `inconclusive` otherwise.

The p of a claim is that of what the word asserts: that as many conditions are true as hold. Holm
adjusts it for the number of claims judged together that have one; above 0.05 no condition of the
claim counts as holding. On fewer seeds than the claim asks for a verdict is `preliminary`.

**Not testable here:** the profile `smoke`, which checks plumbing; a claim that gives its reason;
a claim with an arm that has no runs; mixed evidence, of which `moebench.verdict.mixture` has the
rules.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.statistics import holm
from moebench.verdict.differences import (
    difference,
    equivalence,
    interaction,
    lower_and_within,
    no_worse,
    order,
    spread,
    worst_of,
)
from moebench.verdict.epochs import (
    fewer_epochs,
    on_its_side,
    same_accuracy,
    share_of_runs,
    steadier,
    two_means,
    within_runs,
)
from moebench.verdict.evidence import Evidence
from moebench.verdict.exact import exact
from moebench.verdict.findings import Findings
from moebench.verdict.mixture import mixed, mixed_arm
from moebench.verdict.optimum import interior_optimum
from moebench.verdict.outcome import Verdict, conclude, not_testable
from moebench.verdict.passes import order_and_closest, sooner_and_as_good
from moebench.verdict.routing import (
    neighbours_apart,
    neighbours_together,
    order_matters,
    token_over_topic,
    topic_plays_no_part,
)
from moebench.verdict.rows import rank_correlation, times_as_large, worse_than_rest
from moebench.verdict.searches import explains_more, front
from moebench.verdict.slopes import growing_slope, moving_minimum, slope
from moebench.verdict.speed import steps_to_loss
from moebench.verdict.trends import flat_share, trend

TESTS: dict[str, Callable[[Claim, Evidence], Findings]] = {
    "difference": difference,
    "equivalence": equivalence,
    "exact": exact,
    "explains_more": explains_more,
    "fewer_epochs": fewer_epochs,
    "flat_share": flat_share,
    "front": front,
    "growing_slope": growing_slope,
    "interaction": interaction,
    "interior_optimum": interior_optimum,
    "lower_and_within": lower_and_within,
    "moving_minimum": moving_minimum,
    "neighbours_apart": neighbours_apart,
    "neighbours_together": neighbours_together,
    "no_worse": no_worse,
    "on_its_side": on_its_side,
    "order": order,
    "order_and_closest": order_and_closest,
    "order_matters": order_matters,
    "rank_correlation": rank_correlation,
    "same_accuracy": same_accuracy,
    "share_of_runs": share_of_runs,
    "slope": slope,
    "sooner_and_as_good": sooner_and_as_good,
    "spread": spread,
    "steadier": steadier,
    "steps_to_loss": steps_to_loss,
    "times_as_large": times_as_large,
    "token_over_topic": token_over_topic,
    "topic_plays_no_part": topic_plays_no_part,
    "trend": trend,
    "two_means": two_means,
    "within_runs": within_runs,
    "worse_than_rest": worse_than_rest,
    "worst_of": worst_of,
}

__all__ = ["TESTS", "Verdict", "Word", "judge"]


@dataclass(frozen=True)
class _Case:
    """A claim with its runs, and either what its test found or why there is no test."""

    claim: Claim
    evidence: Evidence
    findings: Findings | None = None
    reason: str = ""


def judge(claims: Sequence[Claim], records: Iterable[RunRecord], profile: str) -> list[Verdict]:
    """Return one verdict a claim, in their order, by the rules above.

    Args:
        claims: of one paper; their p values are adjusted together.
        records: of any profile and status.
        profile: whose records count.

    Raises:
        ValueError: for a claim with an unknown test, or two records of one arm and seed.
    """
    ours = [record for record in records if record.profile == profile]
    cases = [_examine(claim, ours, profile) for claim in claims]
    p_values = [case.findings.p if case.findings else None for case in cases]
    adjusted = iter(holm([p for p in p_values if p is not None]))
    verdicts = []
    for case, p in zip(cases, p_values, strict=True):
        if case.findings is None:
            verdicts.append(not_testable(case.claim, case.reason, case.evidence))
        else:
            p_adjusted = None if p is None else next(adjusted)
            verdicts.append(conclude(case.claim, case.findings, p_adjusted, case.evidence))
    return verdicts


def _examine(claim: Claim, records: Sequence[RunRecord], profile: str) -> _Case:
    """Run the test of a claim, if it has one and the runs for it."""
    if claim.test and claim.test not in TESTS:
        raise ValueError(
            f"claim {claim.key}: test={claim.test}: unknown; one of {', '.join(TESTS)}"
        )
    # A generator of its own, so that no verdict depends on which other claims are judged.
    rng = np.random.default_rng(zlib.crc32(claim.key.encode()))
    evidence = Evidence.of(claim.arms, records, rng)
    if reason := _obstacle(claim, evidence, profile):
        # Runs of two kinds have no mean, in the table of costs neither.
        unlike = [arm for arm, runs in evidence.runs.items() if mixed_arm(runs.values())]
        return _Case(claim, evidence.without(unlike), reason=reason)
    return _Case(claim, evidence, TESTS[claim.test](claim, evidence))


def _obstacle(claim: Claim, evidence: Evidence, profile: str) -> str:
    """Return why a claim cannot be judged, empty if it can."""
    if claim.because:
        return claim.because
    if profile == "smoke":
        return "The profile smoke checks that everything runs and judges nothing."
    if evidence.missing:
        known = "" if profile == "full" else "; the profile full has them"
        return f"No runs of {', '.join(evidence.missing)} in the profile {profile}{known}."
    why = mixed(claim, evidence)
    return f"Mixed evidence, which is not judged: {why}." if why else ""
