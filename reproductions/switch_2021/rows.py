"""Tests for claims about a series of arms that differ in their number of experts."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import overflow_share
from moebench.verdict.claimed import Claimed, below
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, State, all_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Trend(ClaimTest):
    """The metric falls along a row of arms, from the first step on.

    The fall along the whole row leads, by a least-squares line through the arms of each seed. Side
    conditions ask that the second arm is lower than the first, and each later arm lower than the
    one before: a line falls even if only a single step does.

    Args:
        row: three arms or more, in the order in which the metric falls.
    """

    row: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.row) < 3:
            raise ValueError(f"row={self.row}: needs three arms or more")

    @property
    def arms(self) -> tuple[str, ...]:
        """The whole row."""
        return self.row

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the fall along the row, then its first step, then the later steps."""
        places = np.arange(len(self.row), dtype=float)
        seeds = np.transpose(evidence.paired(self.metric, *self.row))
        falls = np.array([np.polyfit(places, losses, 1)[0] * places[-1] for losses in seeds])
        says = f"{self.metric} falls from {self.row[0]} to {self.row[-1]}, by the fitted line"
        lead = mean_is(says, falls, below(self.margin), self.unit)
        first, *later = [
            compared(self, evidence, after, before, "lower") for before, after in pairwise(self.row)
        ]
        return Findings(lead, [first, all_of(f"each arm after {self.row[1]} gains", later)])


@dataclass(frozen=True, kw_only=True)
class FewDropped(ClaimTest):
    """Every arm drops less than a limit, and the last one as much as the first.

    That every arm stays below the limit leads: it is the figure that the paper gives. Even
    uniformly random routing drops a share, which grows with the number of experts and is printed
    beside each arm as its `floor`; drops up to the floor do not count against the claim, nor does a
    difference between the floors.

    Args:
        experts: arm -> number of experts, increasing.
        factor: the capacity factor.
        limit: the share that all arms are claimed to stay below.
    """

    experts: Mapping[str, int]
    factor: float
    limit: float

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = list(self.experts.values())
        if len(numbers) < 2 or numbers != sorted(set(numbers)):
            raise ValueError(f"experts={numbers}: needs two numbers or more, rising")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(self.experts)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the share of every arm, then the difference between the last and the first."""
        floors = {arm: self._floor(evidence, arm) for arm in self.arms}
        bounds = [self._below(evidence, arm, floor) for arm, floor in floors.items()]
        says = f"every arm drops less than {self.limit:g}"
        return Findings(
            all_of(says, bounds),
            [self._flat(evidence, floors)],
            notes={arm: {"floor": floor} for arm, floor in floors.items()},
            remark=_over(bounds, max(floors.values())),
        )

    def _floor(self, evidence: Evidence, arm: str) -> float:
        """Return the share that uniformly random routing drops per batch."""
        batches = {run.tokens // run.steps for run in evidence.finished(arm).values()}
        count = self.experts[arm]
        shares = [overflow_share(int(self.factor * t / count), t, count) for t in batches]
        return max(shares, default=0.0)

    def _below(self, evidence: Evidence, arm: str, floor: float) -> Condition:
        """Return the condition that an arm drops less than the limit."""
        values = evidence.sample(self.metric, arm)
        claimed = Claimed(high=max(self.limit, floor), ceiling=self.limit)
        return mean_is(arm, values, claimed, self.unit)

    def _flat(self, evidence: Evidence, floors: Mapping[str, float]) -> Condition:
        """Return the condition that the last arm drops as much as the first."""
        first, last = self.arms[0], self.arms[-1]
        a, b = evidence.paired(self.metric, first, last)
        says = f"{last} and {first} differ by less than {self.margin:g} {self.unit}"
        high = max(self.margin, floors[last] - floors[first])
        claimed = Claimed(low=-self.margin, high=high, floor=-self.margin, ceiling=self.margin)
        return mean_is(says, b - a, claimed, self.unit)


def _over(bounds: list[Condition], floor: float) -> str:
    """Say how many arms exceed the limit, which one most, and what random routing would drop."""
    over = [one for one in bounds if one.state is State.REFUTED]
    chance = f"uniformly random routing would drop up to {floor:.2g}"
    if not over:
        return chance
    most = max(over, key=lambda one: one.effect.estimate)
    count = f"{len(over)} of {len(bounds)} arms drop more, {most.says} most of all"
    return f"{count}, {most.effect.estimate:.3g}; {chance}"
