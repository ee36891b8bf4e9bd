"""Runs of two arms, a and b, and the claim that a has the lower loss by 0.1."""

from math import sqrt
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim
from moebench.testing.verdicts import claim_of, runs, verdict_of
from moebench.verdict import Verdict
from moebench.verdict.comparisons import Difference

MARGIN = 0.1


def differing(*differences: float) -> list[RunRecord]:
    """Runs of a and b whose losses differ so much, a - b, seed by seed."""
    return runs(a=[2 + d for d in differences], b=[2.0] * len(differences))


def claim(**changes: Any) -> Claim:
    test = Difference(first="a", second="b", margin=MARGIN)
    return claim_of(**{"test": test, **changes})


def judged(records: list[RunRecord], **changes: Any) -> Verdict:
    return verdict_of(claim(**changes), records)


def two_sided(t: float) -> float:
    """The two-sided p of Student's t with 2 degrees of freedom."""
    return 1 - t / sqrt(2 + t * t)


# Differences -1.0, -1.1, -0.9: mean -1 and standard deviation 0.1.
BETTER = runs(a=[1.0, 1.9, 2.6], b=[2.0, 3.0, 3.5])
