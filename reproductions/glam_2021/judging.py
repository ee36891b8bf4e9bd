"""Tests that only this paper uses: several pairs at once, and a best size between two extremes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.verdict.claimed import above
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, all_of, any_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class LowerInEach(ClaimTest):
    """In each pair the first arm's metric is lower than the second's by at least the margin.

    All pairs lead together: the claim is about each of them.

    Args:
        against: arm -> its rival.
    """

    against: Mapping[str, str]

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms of every pair."""
        return tuple(arm for pair in self.pairs for arm in pair)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The pairs."""
        return list(self.against.items())

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the difference in every pair."""
        found = [compared(self, evidence, *pair, "lower") for pair in self.pairs]
        if len(found) == 1:
            return Findings(found[0])
        first = " and ".join(self.against)
        return Findings(all_of(f"{first} have a lower {self.metric} than their rivals", found))


@dataclass(frozen=True, kw_only=True)
class BestInside(ClaimTest):
    """The metric falls with the size and rises again: a size between the extremes is best.

    That some size is better than both extremes leads, by a p that counts all sizes in between. A
    side condition asks for a curve that is open upwards: the square term of each seed's fit of the
    metric on the logarithm of the size.

    Args:
        sizes: arm -> size, increasing, of at least three arms.
    """

    sizes: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = list(self.sizes.values())
        if len(sizes) < 3 or sizes != sorted(set(sizes)) or sizes[0] <= 0:
            raise ValueError(f"sizes={sizes}: needs three or more increasing sizes above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, by size."""
        return tuple(self.sizes)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every size between the extremes, then the curve."""
        between = [self._best(evidence, arm) for arm in self.arms[1:-1]]
        lead = any_of("a size between the extremes is best", between)
        size = np.log2(list(self.sizes.values()))
        rows = np.transpose(evidence.paired(self.metric, *self.sizes))
        bends = np.array([np.polyfit(size, row, 2)[0] for row in rows])
        says = f"{self.metric} is a curve of the size that is open upwards"
        return Findings(lead, [mean_is(says, bends, above(), "nats a squared doubling")])

    def _best(self, evidence: Evidence, arm: str) -> Condition:
        """Return the condition that an arm is better than both extremes."""
        ends = (self.arms[0], self.arms[-1])
        found = [compared(self, evidence, end, arm, "higher") for end in ends]
        return all_of(f"{arm} is better than {ends[0]} and {ends[1]}", found)
