"""Runs with a grid of step sizes: which step counts, and the values at that step.

Such a run has its metrics once per step size, `step_<size>/<quantity>`. The last few seeds of an
arm are trials: they choose a system's best step and judge nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from moebench.statistics import Values
from moebench.verdict.paired_runs import Evidence

Rule = float | Literal["best"]  # one step size for all systems, or each at its own best
# The step with the fewest epochs in the trials, among those that always met the criterion.
BEST: Final = "best"


def named(rule: Rule) -> str:
    """Return a rule in words."""
    return "best step" if rule == BEST else f"step {rule:g}"


@dataclass(frozen=True)
class Trials:
    """The runs of a claim, with their grid and the number of trial seeds."""

    evidence: Evidence
    grid: Sequence[float]
    number: int

    def step(self, arm: str, rule: Rule) -> float | None:
        """Return an arm's step size under a rule; None if the trials never met the criterion."""
        if rule != BEST:
            return float(rule)
        means = {
            step: np.mean(list(epochs.values()))
            for step in self.grid
            if (epochs := self._values(arm, step, "epochs", trials=True))
            and all(self._values(arm, step, "reached", trials=True).values())
        }
        return min(means, key=lambda step: means[step]) if means else None

    def sample(self, arm: str, rule: Rule, quantity: str) -> Values:
        """Return a quantity over the judged seeds that met the criterion."""
        step = self.step(arm, rule)
        if step is None:
            return np.array([])
        reached = self._values(arm, step, "reached")
        values = self._values(arm, step, quantity)
        return np.array([values[seed] for seed in sorted(values) if reached.get(seed)], dtype=float)

    def everything(self, arm: str, rule: Rule, quantity: str) -> Values:
        """Return a quantity over all judged seeds, whether or not they met the criterion."""
        step = self.step(arm, rule)
        values = {} if step is None else self._values(arm, step, quantity)
        return np.array([values[seed] for seed in sorted(values)], dtype=float)

    def notes(self, arm: str, rules: Sequence[Rule]) -> dict[str, float]:
        """Return, for each rule, the step, mean and sd of epochs, and the share of successes."""
        found: dict[str, float] = {}
        for rule in rules:
            step = self.step(arm, rule)
            epochs = self.sample(arm, rule, "epochs")
            name = "best" if rule == BEST else named(rule)
            if step is not None and len(epochs):
                found[f"{name}: step"] = step
                found[f"{name}: epochs"] = float(epochs.mean())
                found[f"{name}: sd"] = float(epochs.std(ddof=1)) if len(epochs) > 1 else 0.0
                found[f"{name}: reached"] = float(self.everything(arm, rule, "reached").mean())
        return found

    def failures(self, arm: str, rule: Rule) -> str:
        """Return a clause on the judged runs that never met the criterion; empty if all did."""
        reached = self.everything(arm, rule, "reached")
        lost = int((reached == 0).sum())
        return f"{lost} of {len(reached)} runs of {arm} never met the criterion" if lost else ""

    def _values(
        self, arm: str, step: float, quantity: str, trials: bool = False
    ) -> dict[int, float]:
        values = self.evidence.values(f"step_{step:g}/{quantity}", arm)
        tried = set(sorted(self.evidence.runs[arm])[-self.number :])
        return {seed: value for seed, value in values.items() if (seed in tried) == trials}


def apart(first: Values, second: Values, itself: bool) -> tuple[Values, Values]:
    """Return two samples without a common run; an arm against itself is split in two halves."""
    return (first[::2], second[1::2]) if itself else (first, second)
