"""Test of claims about how soon an arm reaches the loss that another one ends with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from moebench.claims import ClaimTest
from moebench.records import RunRecord
from moebench.statistics import Values, spearman
from moebench.statistics.estimates import geometric, mean
from moebench.verdict.conditions import Condition, State, above, below, judged, mean_is, times
from moebench.verdict.evidence import Evidence, curve, paired
from moebench.verdict.findings import Findings

Scale = Literal["steps", "seconds"]


@dataclass(frozen=True, kw_only=True)
class StepsToLoss(ClaimTest):
    """An arm needs fewer steps, or less time, than the base to the base's final loss.

    Each seed compares its own two curves, interpolated between validations. A run that never gets
    there counts with its last step; the ratio is then an upper bound, so it may refute the claim
    and never bear it out. The effect is the geometric mean over seeds of base / arm.

    Args:
        base: the arm whose final loss is to be reached.
        arm: the arm in question.
        others: further arms, printed beside it; by rising number of experts, with `arm` at its
            place, where `monotone` is given.
        at_least: the ratio claimed.
        scales: of the ratio; the first leads.
        monotone: rank correlation of steps with the place of the arm, claimed at most.
    """

    base: str
    arm: str
    others: tuple[str, ...] = ()
    at_least: float = 1.0
    scales: tuple[Scale, ...] = ("steps",)
    monotone: float | None = None
    unit: str = "ratio"

    @property
    def arms(self) -> tuple[str, ...]:
        """The base, then the others with the arm among them."""
        listed = self.others if self.arm in self.others else (*self.others, self.arm)
        return self.base, *listed

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Every arm with the base."""
        return [(arm, self.base) for arm in self.arms[1:]]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the ratio on every scale, then the row of all arms."""
        lead, *sides = [self._sooner(evidence, scale) for scale in self.scales]
        if self.monotone is not None:
            sides.append(self._monotone(evidence, self.monotone))
        notes = {arm: _notes(evidence, self.base, arm) for arm in self.arms[1:]}
        return Findings(lead, sides, notes=notes)

    def _sooner(self, evidence: Evidence, scale: Scale) -> Condition:
        """Return the condition that base / arm is at least the ratio claimed."""
        ratios = _log_ratios(evidence, self.base, self.arm, scale)
        often = f", by {self.at_least:g} times or more" if self.at_least != 1 else ""
        says = f"{self.arm} reaches the final loss of {self.base} in fewer {scale}{often}"
        found = judged(says, geometric(mean(ratios)), times(self.at_least), self.unit)
        never = _never(evidence, self.base, self.arm)
        if not never:
            return found
        says += f" ({never} of {len(ratios)} runs never do: the ratio is an upper bound)"
        open_ = replace(found, says=says, state=State.OPEN, p=1.0)
        short = mean_is(says, self._behind(evidence), above(), "nats")
        if found.state is State.REFUTED or short.state is not State.HOLDS:
            return replace(found, says=says) if found.state is State.REFUTED else open_
        # It ends above the loss that it was to reach: so far it has not, whatever the ratio.
        remark = f"it ends {short.effect.estimate:.3g} nats short of it"
        return replace(open_, state=State.REFUTED, p_refuted=short.p, remark=remark)

    def _behind(self, evidence: Evidence) -> Values:
        """Return how far each run of the arm ends above the final loss of the base."""
        targets = _targets(evidence, self.base, self.arm).values()
        return np.array([float(curve(record)[1][-1]) - loss for record, loss in targets])

    def _monotone(self, evidence: Evidence, limit: float) -> Condition:
        """Return the condition that later arms need fewer steps, by rank correlation, a seed."""
        arms = self.arms[1:]
        rows = np.transpose(paired(*(reached(evidence, self.base, a, "steps") for a in arms)))
        places = np.arange(len(arms), dtype=float)
        rho: Values = np.array([spearman(places, row) for row in rows])
        says = f"steps fall from {arms[0]} to {arms[-1]}, rank correlation at most {limit:g}"
        return mean_is(says, rho, below(-limit), "rank correlation")


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


def _notes(evidence: Evidence, base: str, arm: str) -> dict[str, float]:
    """Return both ratios of an arm and how many of its runs never reached the loss."""
    ratios = {scale: _log_ratios(evidence, base, arm, scale) for scale in ("steps", "seconds")}
    means = {f"{s}_ratio": float(np.exp(v.mean())) for s, v in ratios.items() if len(v)}
    return {**means, "not_reached": _never(evidence, base, arm)}
