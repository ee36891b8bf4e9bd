"""Test of claims that compare means of two arms, one of which keeps a limit."""

from moebench.claims import Claim
from moebench.verdict.conditions import compare, stays_below
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def lower_and_within(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm has a lower metric than the second, and one below a limit.

    Arms: (first, second). Settings: `within`, the limit.
    """
    first, second = claim.arms
    limit = claim.settings["within"]
    says = f"{claim.metric} of {first} is below {limit:g}"
    sample = evidence.sample(claim.metric, first)
    return Findings(
        [
            compare(claim, evidence, (first, second), "lower"),
            stays_below(says, sample, limit, evidence, claim.unit),
        ]
    )
