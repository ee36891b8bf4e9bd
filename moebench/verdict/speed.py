"""Tests of claims about how soon an arm reaches the loss that another one ends with."""

from collections.abc import Mapping

import numpy as np

from moebench.claims import Claim
from moebench.records import RunRecord
from moebench.statistics import Interval, Values, spearman
from moebench.verdict.conditions import Condition, State, above_zero
from moebench.verdict.evidence import Evidence, curve, paired
from moebench.verdict.findings import Findings

Reached = Mapping[int, float]  # seed -> steps or seconds to the loss


def steps_to_loss(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: an arm needs fewer steps, or less time, than the base to the base's final loss.

    Each seed compares its own two curves, interpolated between validations. A run that never gets
    there counts with its last step; the ratio is then an upper bound, so it may refute the claim
    and never bear it out. The effect is the geometric mean over seeds of base / arm.

    Arms: (base, arm, ..., arm), by number of experts. Settings: `scales`, of "steps" and "seconds";
    `judged`, the arm in question (default: the last); `at_least`, a ratio claimed besides one;
    `monotone`, the rank correlation of steps with the place of the arm claimed at most.
    """
    base, *arms = claim.arms
    judged = claim.settings.get("judged", arms[-1])
    conditions = []
    for scale in claim.settings.get("scales", ["steps"]):
        for factor in [1.0, *_listed(claim.settings.get("at_least"))]:
            conditions.append(_sooner(evidence, base, judged, scale, factor))
    for limit in _listed(claim.settings.get("monotone")):
        conditions.append(_monotone(evidence, base, arms, limit))
    return Findings(conditions, {arm: _notes(evidence, base, arm) for arm in arms})


def _listed(setting: float | None) -> list[float]:
    """Return the setting as a list, empty where there is none."""
    return [] if setting is None else [setting]


def steps_until(steps: Values, losses: Values, loss: float) -> float | None:
    """Return the steps after which a curve is first at or below a loss; None if it never is.

    Before the first validation nothing is known: a curve that starts below the loss counts with
    its first step.
    """
    below = np.flatnonzero(losses <= loss)
    if not len(below):
        return None
    i = int(below[0])
    if i == 0:
        return float(steps[0])
    part = (losses[i - 1] - loss) / (losses[i - 1] - losses[i])
    return float(steps[i - 1] + part * (steps[i] - steps[i - 1]))


def reached(evidence: Evidence, base: str, arm: str, scale: str) -> dict[int, float]:
    """Return seed -> steps or seconds of an arm to the final loss of the base of that seed."""
    found = {}
    for seed, (record, loss) in _targets(evidence, base, arm).items():
        until = steps_until(*curve(record), loss)
        steps = float(curve(record)[0][-1]) if until is None else until
        found[seed] = steps * (record.seconds_per_step if scale == "seconds" else 1.0)
    return found


def _targets(evidence: Evidence, base: str, arm: str) -> dict[int, tuple[RunRecord, float]]:
    """Return seed -> run of the arm with the final loss of the base, where both have curves."""
    bases = evidence.finished(base)
    return {
        seed: (record, float(curve(bases[seed])[1][-1]))
        for seed, record in evidence.finished(arm).items()
        if seed in bases and len(curve(record)[0]) and len(curve(bases[seed])[0])
    }


def _never(evidence: Evidence, base: str, arm: str) -> int:
    """Return how many runs of an arm never reach the final loss of the base."""
    targets = _targets(evidence, base, arm).values()
    return sum(steps_until(*curve(record), loss) is None for record, loss in targets)


def _log_ratios(evidence: Evidence, base: str, arm: str, scale: str) -> Values:
    """Return log(base / arm), one a seed."""
    ours, theirs = paired(*(reached(evidence, base, one, scale) for one in (base, arm)))
    return np.log(ours) - np.log(theirs)


def _sooner(evidence: Evidence, base: str, arm: str, scale: str, factor: float) -> Condition:
    """Return the condition that base / arm is above a factor."""
    ratios = _log_ratios(evidence, base, arm, scale)
    often = f", by more than {factor:g} times" if factor != 1 else ""
    says = f"{arm} reaches the final loss of {base} in fewer {scale}{often}"
    found = above_zero(says, ratios - np.log(factor), evidence, "ratio")
    shown = found.effect.mapped(lambda logarithm: float(factor * np.exp(logarithm)))
    state = found.state
    if never := _never(evidence, base, arm):
        says += f" ({never} of {len(ratios)} runs never do)"
        state = State.OPEN if state is State.HOLDS else state
    return Condition(says, state, shown, "ratio", found.p)


def _monotone(evidence: Evidence, base: str, arms: list[str], limit: float) -> Condition:
    """Return the condition that later arms need fewer steps, by rank correlation; no test."""
    steps = paired(*(reached(evidence, base, arm, "steps") for arm in arms))
    n = len(steps[0])
    means = np.array([np.log(of).mean() if n else 0.0 for of in steps])
    rho = spearman(np.arange(len(arms), dtype=float), means)
    state = State.HOLDS if rho <= limit else State.REFUTED if rho >= 0 else State.OPEN
    state = state if n > 1 else State.OPEN
    says = f"steps fall from {arms[0]} to {arms[-1]}, rank correlation at most {limit:g}"
    interval = Interval(rho, rho, rho, n, "rank correlation")
    return Condition(says, state, interval, "rank correlation")


def _notes(evidence: Evidence, base: str, arm: str) -> dict[str, float]:
    """Return both ratios of an arm and how many of its runs never reached the loss."""
    ratios = {scale: _log_ratios(evidence, base, arm, scale) for scale in ("steps", "seconds")}
    means = {f"{s}_ratio": float(np.exp(v.mean())) for s, v in ratios.items() if len(v)}
    return {**means, "not_reached": _never(evidence, base, arm)}
