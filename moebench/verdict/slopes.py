"""Test for claims about how a metric changes with the size of the arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from moebench.papers.claim import ClaimTest, Direction
from moebench.verdict.claimed import above, below
from moebench.verdict.conditions import Condition, all_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Slope(ClaimTest):
    """The metric falls (or rises) with the size, by the least-squares slope of each seed.

    The slope leads. A side condition asks that each size improves on the one before: a line falls
    even if all of the gain comes from the first sizes.

    Args:
        sizes: arm -> size, of at least two arms; the fit uses its base-2 logarithm, so the effect
            is the change per doubling.
        direction: "lower" if the metric falls.
    """

    sizes: Mapping[str, float]
    direction: Direction = "lower"
    unit: str = "nats a doubling"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.sizes.values())) < 2 or min(self.sizes.values()) <= 0:
            raise ValueError(f"sizes={self.sizes}: needs two different sizes, all above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(self.sizes)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean slope, then each step if there are several."""
        first, *_, last = self.sizes
        size = np.log2(list(self.sizes.values()))
        rows = np.transpose(evidence.paired(self.metric, *self.sizes))
        slopes = np.array([np.polyfit(size, row, 1)[0] for row in rows])
        falls, claimed = ("falls", below) if self.direction == "lower" else ("rises", above)
        says = f"{self.metric} {falls} with the size, {first} to {last}"
        lead = mean_is(says, slopes, claimed(self.margin), self.unit)
        steps = [self._step(evidence, *pair) for pair in pairwise(self.sizes)]
        if len(steps) == 1:
            return Findings(lead)
        return Findings(lead, [all_of(f"it {falls} from each size to the next", steps)])

    def _step(self, evidence: Evidence, smaller: str, larger: str) -> Condition:
        """Return the condition that the metric falls (or rises) from one size to the next."""
        a, b = evidence.paired(self.metric, smaller, larger)
        claimed = below if self.direction == "lower" else above
        doublings = np.log2(self.sizes[larger] / self.sizes[smaller])
        says = f"{smaller} to {larger}"
        return mean_is(says, (b - a) / doublings, claimed(self.margin), self.unit)
