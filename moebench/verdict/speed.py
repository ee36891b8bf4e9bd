"""Test for claims about how soon an arm reaches the final loss of another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from moebench.evidence.record import RunRecord
from moebench.papers.claim import ClaimTest
from moebench.statistics import Values, spearman
from moebench.statistics.estimates import geometric, mean
from moebench.verdict.claimed import Claimed, below, times
from moebench.verdict.conditions import Condition, State, judged, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.machines import Machine, machines_of
from moebench.verdict.paired_runs import Evidence, curve, paired

Scale = Literal["steps", "seconds"]
SCALES: tuple[Scale, ...] = get_args(Scale)
AT_MOST_ZERO = Claimed(high=0.0, ceiling=0.0)


@dataclass(frozen=True, kw_only=True)
class StepsToLoss(ClaimTest):
    """An arm reaches the base's final loss in fewer steps, or less time, than the base itself.

    Each seed compares its own two curves, interpolated between validations. A run that never gets
    there counts with its last step; the ratio is then an upper bound, which may refute the claim
    but never support it. The effect is the geometric mean over seeds of base / arm.

    The first scale leads: the paper's claim is about steps or about time, and so is its figure. On
    the other scale, a side condition, any speed-up is enough.

    Args:
        base: the arm whose final loss is to be reached.
        arm: the arm in question.
        others: further arms to print beside it; if `monotone` is given, in order of their number
            of experts, `arm` included.
        at_least: the ratio claimed on the first scale.
        scales: the scales of the ratio.
        monotone: largest rank correlation claimed between the steps and the order of the arms.
    """

    base: str
    arm: str
    others: tuple[str, ...] = ()
    at_least: float = 1.0
    scales: tuple[Scale, ...] = ("steps",)
    monotone: float | None = None
    unit: str = "ratio"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.at_least > 0:
            raise ValueError(f"at_least={self.at_least}: must be above 0")
        if not self.scales or not set(self.scales) <= set(SCALES):
            raise ValueError(f"scales={self.scales}: one or more of {', '.join(SCALES)}")
        if self.monotone is not None and not -1 <= self.monotone < 0:
            raise ValueError(f"monotone={self.monotone}: must be at least -1 and below 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """The base, then the others with the arm among them."""
        listed = self.others if self.arm in self.others else (*self.others, self.arm)
        return self.base, *listed

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Every arm paired with the base."""
        return [(arm, self.base) for arm in self.arms[1:]]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the ratio on every scale, then the order of all arms."""
        scale, *others = self.scales
        lead = self._sooner(evidence, scale, self.at_least)
        sides = [self._sooner(evidence, other, 1.0) for other in others]
        if self.monotone is not None:
            sides.append(self._monotone(evidence, self.monotone))
        notes = {arm: _notes(evidence, self.base, arm) for arm in self.arms[1:]}
        return Findings(lead, sides, notes=notes)

    def _sooner(self, evidence: Evidence, scale: Scale, at_least: float) -> Condition:
        """Return the condition that base / arm is at least the claimed ratio.

        If some runs never get there, the ratio is an upper bound. An arm that trained as long as
        the base and ends above its loss needs longer, which refutes the claim; so does the bound
        if it is low enough.
        """
        ratios = _log_ratios(evidence, self.base, self.arm, scale)
        fewer = "fewer" if at_least == 1 else f"at least {at_least:g} times fewer"
        says = f"{self.arm} reaches the final loss of {self.base} in {fewer} {scale}"
        never = _never(evidence, self.base, self.arm)
        bound = f" ({never} of {len(ratios)} runs never do: the ratio is an upper bound)"
        says += bound if never else ""
        found = judged(says, geometric(mean(ratios)), times(at_least), self.unit)
        if scale == "seconds" and len(_machines(evidence, self.base, self.arm)) > 1:
            return unknown(says, self.unit, "timed on several machines")
        if not never:
            return found
        ends = self._ends(evidence, scale, f"{never} of {len(ratios)} runs")
        found = replace(found, remark="")  # a bound does not show that an effect is present
        if State.REFUTED in (ends.state, found.state):
            return ends if ends.state is State.REFUTED else found
        return replace(found, state=State.OPEN, p=1.0)

    def _ends(self, evidence: Evidence, scale: Scale, never: str) -> Condition:
        """Return the condition that the arm gets there within the base's amount of training."""
        behind = [
            float(curve(ours)[1].min() - curve(theirs)[1][-1])
            for ours, theirs in _both(evidence, self.base, self.arm).values()
            if _length(ours, scale) >= _length(theirs, scale)
        ]
        says = f"{self.arm} reaches the final loss of {self.base} in as many {scale}"
        says += f" ({never} never do)"
        return mean_is(says, np.array(behind), AT_MOST_ZERO, "nats above it")

    def _monotone(self, evidence: Evidence, limit: float) -> Condition:
        """Return the condition that later arms need fewer steps, by rank correlation per seed."""
        arms = self.arms[1:]
        rows = np.transpose(paired(*(reached(evidence, self.base, a, "steps") for a in arms)))
        places = np.arange(len(arms), dtype=float)
        rho: Values = np.array([spearman(places, row) for row in rows])
        says = f"steps fall from {arms[0]} to {arms[-1]}, rank correlation at most {limit:g}"
        return mean_is(says, rho, below(-limit), "rank correlation")


def steps_until(steps: Values, losses: Values, loss: float) -> float | None:
    """Return the number of steps until a curve is first at or below a loss; None if it never is.

    Nothing is known before the first validation: a curve that starts below the loss counts with its
    first step.
    """
    below = np.flatnonzero(losses <= loss)
    if not len(below):
        return None
    i = int(below[0])
    if i == 0:
        return float(steps[0])
    part = (losses[i - 1] - loss) / (losses[i - 1] - losses[i])
    return float(steps[i - 1] + part * (steps[i] - steps[i - 1]))


def reached(evidence: Evidence, base: str, arm: str, scale: Scale) -> dict[int, float]:
    """Return seed -> steps or seconds of an arm until the base's final loss with that seed."""
    found = {}
    for seed, (ours, theirs) in _both(evidence, base, arm).items():
        until = steps_until(*curve(ours), float(curve(theirs)[1][-1]))
        step = ours.seconds_per_step if scale == "seconds" else 1.0
        found[seed] = _length(ours, scale) if until is None else until * step
    return found


def _length(run: RunRecord, scale: Scale) -> float:
    """Return the steps, or seconds, of a run up to its last validation."""
    return float(curve(run)[0][-1]) * (run.seconds_per_step if scale == "seconds" else 1.0)


def _both(evidence: Evidence, base: str, arm: str) -> dict[int, tuple[RunRecord, RunRecord]]:
    """Return seed -> run of the arm and run of the base, where both have a curve."""
    ours, theirs = (
        {seed: run for seed, run in evidence.finished(one).items() if len(curve(run)[0])}
        for one in (arm, base)
    )
    return {seed: (ours[seed], theirs[seed]) for seed in ours if seed in theirs}


def _machines(evidence: Evidence, base: str, arm: str) -> set[Machine]:
    """Return the machines of both arms' runs, where recorded."""
    both = _both(evidence, base, arm).values()
    return machines_of(run for pair in both for run in pair if run.hardware)


def _never(evidence: Evidence, base: str, arm: str) -> int:
    """Return how many runs of an arm never reach the final loss of the base."""
    both = _both(evidence, base, arm).values()
    return sum(float(curve(ours)[1].min()) > float(curve(theirs)[1][-1]) for ours, theirs in both)


def _log_ratios(evidence: Evidence, base: str, arm: str, scale: Scale) -> Values:
    """Return log(base / arm), one per seed."""
    ours, theirs = paired(*(reached(evidence, base, one, scale) for one in (base, arm)))
    return np.log(ours) - np.log(theirs)


def _notes(evidence: Evidence, base: str, arm: str) -> dict[str, float]:
    """Return both ratios of an arm and how many of its runs never reached the loss."""
    ratios = {scale: _log_ratios(evidence, base, arm, scale) for scale in SCALES}
    means = {f"{s}_ratio": float(np.exp(v.mean())) for s, v in ratios.items() if len(v)}
    return {**means, "not_reached": _never(evidence, base, arm)}
