"""Whether arms that a claim calls equal really cost the same."""

from collections.abc import Mapping

from moebench.papers.claim import Claim
from moebench.papers.plan import EQUAL, MATCHED_COST


def unequal(claim: Claim, costs: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return "first to second" -> ratio of the matched cost, for compared arms whose costs differ.

    Equal means what it means to `compare`: within 5%, or 10% for a time. Steps are equal by
    configuration.

    Args:
        claim: the claim; it says what its arms are matched on.
        costs: arm -> cost -> mean over its finished runs.
    """
    cost = MATCHED_COST.get(claim.matched_on or "")
    if cost is None or claim.test is None:
        return {}
    found = {}
    for first, second in claim.test.pairs:
        ours, theirs = (costs.get(arm, {}).get(cost, 0.0) for arm in (first, second))
        if ours and theirs and abs(ours / theirs - 1) > EQUAL[cost]:
            found[f"{first} to {second}"] = ours / theirs
    return found
