"""Tests of claims about a quantity against the size of the arms, and how data change it.

A size is the setting `sizes`, one number an arm; it enters as its logarithm to base 2. The amount
of data is the number of training steps, read off the validation curve of the same runs: `steps`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moebench.claims import Claim
from moebench.statistics import Values
from moebench.verdict.conditions import LEVEL, Condition, State, above_zero, all_of, below_zero
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def slope(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metric falls with the size, by the least-squares slope of each seed.

    Arms: by size. Settings: `sizes`.
    """
    arms = evidence.paired(claim.metric, *claim.arms)
    size = _logarithm(claim.settings["sizes"])
    found = np.array([np.polyfit(size, row, 1)[0] for row in np.transpose(arms)])
    says = f"{claim.metric} falls with the size, {claim.arms[0]} to {claim.arms[-1]}"
    return Findings([below_zero(says, found, evidence, claim.unit, claim.margin)])


def growing_slope(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the more data, the more the metric falls with the size.

    The coefficient of log size x log steps in a least-squares fit with both and a constant, a seed.

    Arms: by size. Settings: `sizes` and `steps`.
    """
    size, steps = _logarithm(claim.settings["sizes"]), _logarithm(claim.settings["steps"])
    x, y = (grid.ravel() for grid in np.meshgrid(size - size.mean(), steps - steps.mean()))
    design = np.stack([np.ones_like(x), x, y, x * y], axis=1)
    found = [np.linalg.lstsq(design, loss.ravel())[0][3] for loss in _losses(claim, evidence)]
    says = f"{claim.metric} falls more with the size where there are more data"
    return Findings([below_zero(says, np.array(found), evidence, claim.unit, claim.margin)])


def moving_minimum(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: with few data a size between the extremes is best, and with more data a larger one.

    Conditions: both extremes are worse than the best arm between them (its p times the number of
    arms it was picked from) at the first of the steps; the size of the best arm, seed by seed, is
    larger at the last of the steps.

    Arms: by size. Settings: `sizes` and `steps`.
    """
    losses = _losses(claim, evidence)
    few, many = losses[:, 0], losses[:, -1]
    arms, steps = claim.arms, claim.settings["steps"]
    between = few[:, 1:-1]
    best = 1 + int(between.mean(axis=0).argmin()) if len(few) else 1
    ends = [
        _picked(
            above_zero(
                f"after {steps[0]} steps {arms[end]} is worse than {arms[best]}",
                few[:, end] - few[:, best],
                evidence,
                claim.unit,
                claim.margin,
            ),
            between.shape[1],
        )
        for end in (0, -1)
    ]
    interior = all_of(f"after {steps[0]} steps the best is neither smallest nor largest", ends)
    size = _logarithm(claim.settings["sizes"])
    moved = size[many.argmin(axis=1)] - size[few.argmin(axis=1)]
    says = f"the best size is larger after {steps[-1]} steps than after {steps[0]}"
    return Findings([interior, above_zero(says, moved, evidence, "doublings")])


def _picked(condition: Condition, tried: int) -> Condition:
    """Return a condition on the best of several arms, its p as many times as large."""
    p = min(1.0, tried * (condition.p or 0.0))
    lost = condition.state is State.HOLDS and p > LEVEL
    return replace(condition, p=p, state=State.OPEN if lost else condition.state)


def _losses(claim: Claim, evidence: Evidence) -> NDArray[np.float64]:
    """Return the metric by seed, steps and arm."""
    curves = [
        evidence.paired(f"{claim.metric}@{step}", *claim.arms) for step in claim.settings["steps"]
    ]
    found: NDArray[np.float64] = np.transpose(np.array(curves), (2, 0, 1))
    return found


def _logarithm(sizes: ArrayLike) -> Values:
    """Return the logarithms to base 2."""
    found: Values = np.log2(np.array(sizes, dtype=float))
    return found
