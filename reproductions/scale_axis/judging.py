"""The test that only this target uses: how a gain changes with the size of the models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Interval, Values
from moebench.statistics.estimates import mean
from moebench.verdict.claimed import Claimed, above, below
from moebench.verdict.conditions import Condition, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence

Trend = Literal["does not shrink", "shrinks"]


class Gain(NamedTuple):
    """What one arm of a pair gains over the other."""

    size: float  # active parameters, the mean of the two arms
    values: Values  # one a seed

    @property
    def interval(self) -> Interval:
        """Their mean with its 95% interval over the seeds."""
        return mean(self.values).interval

    @property
    def told(self) -> str:
        """The size and the mean with its interval."""
        found = self.interval
        return f"{self.size:,.0f}: {found.estimate:.3g} [{found.low:.3g}, {found.high:.3g}]"


@dataclass(frozen=True, kw_only=True)
class GainOverSize(ClaimTest):
    """What one arm gains over another shrinks with the size of the models, or does not.

    The gain is the second arm's metric less the first's. Its slope against the base-10 logarithm of
    the active parameters leads: of each seed, by a least-squares line through all sizes. A side
    condition asks that there is a gain: at the first size if it shrinks, otherwise at the last,
    since what is not there cannot shrink.

    Args:
        series: the pairs of arms, by size; the first arm of each is claimed to gain.
        trend: what is claimed of the gain; it does not shrink if its slope is above minus the
            margin, and shrinks if the slope is below that.
        counted: the smallest gain that counts.
        gain_unit: its unit.
    """

    series: tuple[tuple[str, str], ...]
    trend: Trend
    counted: float
    unit: str = "nats a tenfold"
    gain_unit: str = "nats"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.series) < 2:
            raise ValueError(f"series={self.series}: needs two sizes or more")
        if not self.margin > 0 or not self.counted > 0:
            wrong = f"margin={self.margin}, counted={self.counted}"
            raise ValueError(f"{wrong}: both must be above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, by size."""
        return tuple(arm for pair in self.series for arm in pair)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The two arms of each size."""
        return self.series

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the slope, then whether there is a gain that could shrink."""
        gains = self.gains(evidence)
        told = ", ".join(one.told for one in gains if len(one.values) > 1)
        remark = f"gains in {self.gain_unit} by active parameters: {told}" if told else ""
        return Findings(self._trend(evidence), [self._present(gains)], remark=remark)

    def gains(self, evidence: Evidence) -> list[Gain]:
        """Return the gain at every size that has been run, by the seeds of that size."""
        found = []
        for first, second in self.series:
            a, b = evidence.paired(self.metric, first, second)
            found.append(Gain(_size(evidence, first, second), b - a))
        return found

    def slopes(self, evidence: Evidence) -> Values:
        """Return the change of the gain in a tenfold of active parameters, one a seed.

        It takes the seeds of all sizes. Empty without any, or if the sizes do not differ.
        """
        values = np.array(evidence.paired(self.metric, *self.arms))
        if not values.size:
            return np.array([])
        gains = values[1::2] - values[::2]
        tenfolds = np.log10([_size(evidence, *pair) for pair in self.series])
        if len(set(tenfolds)) < 2:
            return np.array([])
        slopes: Values = np.polyfit(tenfolds, gains, 1)[0]
        return slopes

    def _trend(self, evidence: Evidence) -> Condition:
        """Return the condition on the slope."""
        (first, second), (last, _) = self.series[0], self.series[-1]
        says = f"what {first} gains over {second} {self.trend} up to {last}"
        slopes = self.slopes(evidence)
        if not slopes.size:
            return unknown(says, self.unit, "no seed has runs of several sizes")
        if self.trend == "shrinks":
            return mean_is(says, slopes, below(self.margin), self.unit)
        claimed = Claimed(low=-self.margin, floor=-self.margin)
        # The claim is about a size alone, but a slope of zero is its margin away from what refutes
        # it, which tells how many seeds it takes.
        return replace(mean_is(says, slopes, claimed, self.unit), margin=self.margin)

    def _present(self, gains: Sequence[Gain]) -> Condition:
        """Return the condition that there is a gain where it would be largest."""
        place = 0 if self.trend == "shrinks" else -1
        first, second = self.series[place]
        says = f"{first} has a lower {self.metric} than {second}"
        return mean_is(says, gains[place].values, above(self.counted), self.gain_unit)


def _size(evidence: Evidence, *arms: str) -> float:
    """Return the mean of the active parameters of finished runs of some arms; NaN without any."""
    of_arms = [run.params_active for arm in arms for run in evidence.finished(arm).values()]
    return float(np.mean(of_arms)) if of_arms else float("nan")
