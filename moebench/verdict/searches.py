"""Tests of claims that a search judges: a front over one weight, shares of the variance of many."""

from itertools import pairwise

import numpy as np

from moebench.claims import Claim
from moebench.verdict.conditions import above_zero, all_of, below_zero, best_of
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def front(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: as the weight rises imbalance falls, and at the high end the loss pays for it.

    Conditions: the arm of the highest weight has a higher metric than the best of the others, and
    its p counts them all; imbalance is lower in each arm than in the one before.

    Arms: by rising weight. Settings: `imbalance`, the metric of it; `noted` means are printed.
    """
    values = evidence.paired(claim.metric, *claim.arms)
    means = [float(found.mean()) if len(found) else np.inf for found in values[:-1]]
    best = int(np.argmin(means))
    says = f"{claim.arms[-1]} has a higher {claim.metric} than {claim.arms[best]}, the best"
    cost = above_zero(says, values[-1] - values[best], evidence, claim.unit, claim.margin)
    imbalance = claim.settings["imbalance"]
    loads = evidence.paired(imbalance, *claim.arms)
    falls = [
        below_zero(f"{later} has a lower {imbalance} than {earlier}", b - a, evidence, imbalance)
        for (earlier, a), (later, b) in pairwise(zip(claim.arms, loads, strict=True))
    ]
    says = f"{imbalance} falls from each weight to the next"
    conditions = [best_of(cost, len(claim.arms) - 1), all_of(says, falls)]
    notes = {
        arm: {imbalance: float(load.mean())}
        for arm, load in zip(claim.arms, loads, strict=True)
        if len(load)
    }
    return Findings(conditions, notes)


def explains_more(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: each of some settings explains a larger share of the variance than another one does.

    One condition a setting, in the order given. Arms: (search,), with a run's value a seed.
    Settings: `names`, and `against`, the one that they are held against.
    """
    (arm,) = claim.arms
    against = claim.settings["against"]
    conditions = []
    notes = {}
    for name in claim.settings["names"]:
        ours, other = (evidence.sample(f"share/{key}", arm) for key in (name, against))
        says = f"{name} explains a larger share of the variance than {against}"
        conditions.append(above_zero(says, ours - other, evidence, claim.unit, claim.margin))
    for name in (*claim.settings["names"], against):
        found = evidence.sample(f"share/{name}", arm)
        if len(found):
            notes[name] = float(found.mean())
    return Findings(conditions, {arm: notes})
