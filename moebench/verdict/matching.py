"""Whether arms that a claim calls equal really cost the same."""

from collections.abc import Mapping

from moebench.papers.claim import Claim
from moebench.papers.plan import EQUAL, MATCHED_COST
from moebench.verdict.machines import machines_of
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.planned import TIME


def timed_apart(claim: Claim, evidence: Evidence) -> list[str]:
    """Return "first to second" for compared arms whose equal time cannot be checked.

    Their runs were timed on several kinds of machine, so nothing can be said about it.
    """
    if MATCHED_COST.get(claim.matched_on or "") != TIME or claim.test is None:
        return []
    return [
        _named(*pair)
        for pair in claim.test.pairs
        if len(machines_of(run for arm in pair for run in evidence.finished(arm).values())) > 1
    ]


def unequal(claim: Claim, evidence: Evidence) -> dict[str, float]:
    """Return "first to second" -> ratio of the matched cost, for compared arms whose costs differ.

    Equal means what it means to `compare`: within 5%, or 10% for a time, which is compared only
    between runs on the same kind of machine. Steps are equal by configuration.
    """
    cost = MATCHED_COST.get(claim.matched_on or "")
    if cost is None or claim.test is None:
        return {}
    costs: Mapping[str, Mapping[str, float]] = evidence.costs()
    apart, found = timed_apart(claim, evidence), {}
    for first, second in claim.test.pairs:
        ours, theirs = (costs.get(arm, {}).get(cost, 0.0) for arm in (first, second))
        pair = _named(first, second)
        if ours and theirs and pair not in apart and abs(ours / theirs - 1) > EQUAL[cost]:
            found[pair] = ours / theirs
    return found


def _named(first: str, second: str) -> str:
    return f"{first} to {second}"
