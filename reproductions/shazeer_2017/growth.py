"""Tests that only this paper uses: how the effect of size on a metric changes with more data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import above, below
from moebench.verdict.conditions import Condition, all_of, any_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Growth(ClaimTest):
    """How more data change the metric at different sizes.

    The amount of data is the number of training steps, read from the validation curve.

    Args:
        sizes: arm -> size, increasing.
        steps: amounts of data, increasing.
    """

    sizes: Mapping[str, float]
    steps: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, row in (("sizes", list(self.sizes.values())), ("steps", list(self.steps))):
            if len(row) < 2 or row != sorted(set(row)) or row[0] <= 0:
                raise ValueError(f"{name}={row}: needs two or more increasing values above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, by size."""
        return tuple(self.sizes)

    @property
    def log_sizes(self) -> Values:
        """The logarithms of the sizes to base 2."""
        return np.log2(list(self.sizes.values()))

    def at(self, step: int) -> str:
        """Return the name of the metric after this many steps."""
        return f"{self.metric}@{step}"

    def losses(self, evidence: Evidence) -> NDArray[np.float64]:
        """Return the metric, indexed by seed, steps and arm."""
        curves = [evidence.paired(self.at(step), *self.sizes) for step in self.steps]
        found: NDArray[np.float64] = np.transpose(np.array(curves), (2, 0, 1))
        return found


@dataclass(frozen=True, kw_only=True)
class GrowingSlope(Growth):
    """The more data, the more the metric falls with the size.

    The effect is the coefficient of log size x log steps in each seed's least-squares fit with both
    and a constant.
    """

    unit: str = "nats per doubling of both"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean coefficient."""
        size, steps = self.log_sizes, np.log2(self.steps)
        x, y = (grid.ravel() for grid in np.meshgrid(size - size.mean(), steps - steps.mean()))
        design = np.stack([np.ones_like(x), x, y, x * y], axis=1)
        found = [np.linalg.lstsq(design, loss.ravel())[0][3] for loss in self.losses(evidence)]
        says = f"{self.metric} falls more with the size when there are more data"
        return Findings(mean_is(says, np.array(found), below(self.margin), self.unit))


@dataclass(frozen=True, kw_only=True)
class MovingMinimum(Growth):
    """With few data a size between the extremes is best, and with more data a larger one.

    That some size between the extremes is best leads: otherwise there is no minimum to move. The
    size with the strongest evidence counts, by a p that counts all sizes in between.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.sizes) < 3:
            raise ValueError(f"sizes={self.sizes}: needs one between the extremes")

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the minimum with the least data, then where the best size is with the most."""
        few, many = self.steps[0], self.steps[-1]
        between = list(self.sizes)[1:-1]
        lead = any_of(
            f"after {few} steps a size between the extremes is best",
            [self._best(evidence, arm) for arm in between],
        )
        losses, size = self.losses(evidence), self.log_sizes
        moved = size[losses[:, -1].argmin(axis=1)] - size[losses[:, 0].argmin(axis=1)]
        says = f"the best size is larger after {many} steps than after {few}"
        return Findings(lead, [mean_is(says, moved, above(), "doublings")])

    def _best(self, evidence: Evidence, arm: str) -> Condition:
        """Return the condition that an arm is better than both extremes after the first steps."""
        first, *_, last = self.sizes
        found = []
        for end in (first, last):
            theirs, ours = evidence.paired(self.at(self.steps[0]), end, arm)
            says = f"{end} is worse than {arm}"
            found.append(mean_is(says, theirs - ours, above(self.margin), self.unit))
        return all_of(f"{arm} is better than {first} and {last}", found)
