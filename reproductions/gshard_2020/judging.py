"""Tests that only this paper uses: a grid of experts and depth, gains that shrink, time a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import Claimed, above, below
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, all_of, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.machines import machines_of
from moebench.verdict.paired_runs import Evidence, paired


@dataclass(frozen=True, kw_only=True)
class BothHelp(ClaimTest):
    """The metric falls with the number of experts and with the depth, each over the other.

    Both lead. An effect is that of a step of the paper's grid, four times the experts or three
    times the depth: the mean fall from the smallest to the largest, over the other factor, for each
    such step between them. A side condition asks for the order of all arms.

    Args:
        grid: arm -> experts and layers; every number of experts occurs with every depth.
        order: the arms from the best to the worst; empty: their order is not claimed.
    """

    grid: Mapping[str, tuple[int, int]]
    order: tuple[str, ...] = ()
    unit: str = "nats a step"

    def __post_init__(self) -> None:
        super().__post_init__()
        experts, layers = (set(numbers) for numbers in zip(*self.grid.values(), strict=True))
        whole = {(number, depth) for number in experts for depth in layers}
        if len(experts) < 2 or len(layers) < 2 or whole != set(self.grid.values()):
            raise ValueError(f"grid={self.grid}: needs two or more of each, in all combinations")
        if self.order and set(self.order) != set(self.grid):
            raise ValueError(f"order={self.order}: must have the arms of the grid")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(self.grid)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge both effects, then the order."""
        effects = [
            self._effect(evidence, "experts", place=0, step=4.0),
            self._effect(evidence, "layers", place=1, step=3.0),
        ]
        lead = all_of(f"{self.metric} falls with the experts and with the depth", effects)
        if not self.order:
            return Findings(lead)
        neighbours = [compared(self, evidence, *pair, "lower") for pair in pairwise(self.order)]
        return Findings(lead, [all_of("the arms are in the paper's order", neighbours)])

    def _effect(self, evidence: Evidence, name: str, place: int, step: float) -> Condition:
        """Return the condition that the metric falls from the fewest to the most."""
        numbers = [sizes[place] for sizes in self.grid.values()]
        low, high = min(numbers), max(numbers)
        losses = np.array(evidence.paired(self.metric, *self.grid))
        least, most = (losses[np.array(numbers) == end].mean(axis=0) for end in (low, high))
        steps = np.log(high / low) / np.log(step)
        says = f"{low} to {high} {name}"
        return mean_is(says, (most - least) / steps, below(self.margin), self.unit)


@dataclass(frozen=True, kw_only=True)
class ShrinkingGains(ClaimTest):
    """Each step along a row of three arms lowers the metric, the second step by less.

    That the second gain is smaller leads; that both are there are side conditions.

    Args:
        row: three arms at equal ratios of size, from the smallest.
    """

    row: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.row) != 3:
            raise ValueError(f"row={self.row}: needs three arms")

    @property
    def arms(self) -> tuple[str, ...]:
        """The row."""
        return self.row

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the second difference, then both gains."""
        few, some, many = evidence.paired(self.metric, *self.row)
        says = f"{self.row[0]} to {self.row[1]} gains more than {self.row[1]} to {self.row[2]}"
        lead = mean_is(says, few - 2 * some + many, above(self.margin), self.unit)
        gains = [compared(self, evidence, b, a, "lower") for a, b in pairwise(self.row)]
        return Findings(lead, gains)


@dataclass(frozen=True, kw_only=True)
class SublinearTime(ClaimTest):
    """The time of a step grows by less than the square root of the growth in parameters.

    The effect is the logarithm of the one growth over the other; the claim is that it is negative.
    """

    small: str
    large: str
    unit: str = "log of growth in time over root of growth in parameters"

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.small, self.large

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean of the logarithm."""
        says = f"a step of {self.large} is slower than one of {self.small} by less than the root"
        runs = [run for arm in self.arms for run in evidence.finished(arm).values()]
        if len(machines_of(runs)) > 1:
            return Findings(unknown(says, self.unit, "timed on several machines"))
        time, size = (self._growth(evidence, cost) for cost in ("seconds_per_step", "params_total"))
        claimed = Claimed(high=0.0, ceiling=0.0)
        growth = {"times slower": time, "times larger": size}
        notes = {name: float(np.exp(logs).mean()) for name, logs in growth.items() if len(logs)}
        lead = mean_is(says, time - size / 2, claimed, self.unit)
        return Findings(lead, notes={self.large: notes})

    def _growth(self, evidence: Evidence, cost: str) -> Values:
        """Return the logarithm of the ratio of a cost, large over small, by seed."""
        costs: Sequence[dict[int, float]] = [
            {seed: float(getattr(run, cost)) for seed, run in evidence.finished(arm).items()}
            for arm in (self.large, self.small)
        ]
        large, small = paired(*costs)
        return np.log(large) - np.log(small)
