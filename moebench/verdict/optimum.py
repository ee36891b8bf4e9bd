"""Test of claims that a setting between two extremes is the best one."""

from dataclasses import replace

import numpy as np

from moebench.claims import Claim
from moebench.statistics import mean_interval
from moebench.verdict.conditions import LEVEL, Condition, State, compare, stays_below
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def interior_optimum(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the chosen setting is as good as the best, keeps its promise, and an extreme is worse.

    Conditions: its metric is within one standard error of the best other arm (no test; refuted
    where it is worse by more than the margin); a second metric stays below a limit; the metric is
    worse in one of the extremes (p doubled, as there are two).

    Arms: (chosen, low extreme, ..., high extreme). Settings: `keeps` (metric) and `below` (limit).
    """
    chosen = claim.arms[0]
    keeps, limit = claim.settings["keeps"], claim.settings["below"]
    says = f"{chosen} keeps {keeps} below {limit:g}"
    kept = stays_below(says, evidence.sample(keeps, chosen), limit, evidence, "share")
    notes = {
        arm: {keeps: float(values.mean())}
        for arm in claim.arms
        if len(values := evidence.sample(keeps, arm))
    }
    return Findings([_near_best(claim, evidence), kept, _extreme_worse(claim, evidence)], notes)


def _near_best(claim: Claim, evidence: Evidence) -> Condition:
    """Return the condition that the chosen arm is within one standard error of the best other."""
    chosen, *others = claim.arms
    sign = 1.0 if claim.direction == "lower" else -1.0
    samples = {arm: evidence.paired(claim.metric, chosen, arm) for arm in others}
    worse = {arm: sign * (ours - theirs) for arm, (ours, theirs) in samples.items()}
    best = max(worse, key=lambda arm: worse[arm].mean() if len(worse[arm]) else -np.inf)
    n = len(worse[best])
    interval = mean_interval(worse[best], evidence.rng)
    near = n > 1 and interval.estimate <= worse[best].std(ddof=1) / n**0.5
    state = State.HOLDS if near else State.REFUTED if interval.low > claim.margin else State.OPEN
    says = f"{chosen} is within one standard error of the best other arm, {best}"
    return Condition(says, state, interval.mapped(lambda effect: sign * effect), claim.unit)


def _extreme_worse(claim: Claim, evidence: Evidence) -> Condition:
    """Return the condition that the chosen arm beats at least one of the extremes."""
    chosen, low, *_, high = claim.arms
    found = [compare(claim, evidence, (chosen, arm), claim.direction) for arm in (low, high)]
    doubled = [replace(one, p=min(1.0, 2 * (one.p or 0.0))) for one in found]
    clear = [one for one in doubled if one.state is State.HOLDS and (one.p or 0.0) <= LEVEL]
    if clear:
        return clear[0]
    possible = [one for one in doubled if one.state is not State.REFUTED]
    return replace(possible[0], state=State.OPEN) if possible else doubled[0]
