"""Tests for claims about the ratio of two arms, and about one metric of one arm."""

from collections.abc import Sequence
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import paired_ratio
from moebench.verdict.claimed import Claimed, times
from moebench.verdict.conditions import judged, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Ratio(ClaimTest):
    """The first arm's metric is a multiple, or a fraction, of the second's.

    The effect is the geometric mean of the per-seed ratios.

    Args:
        first: the arm in the numerator.
        second: the arm in the denominator.
        factor: the smallest ratio claimed; the largest if it is below one.
        noted: metrics whose means are printed beside each arm.
    """

    first: str
    second: str
    factor: float
    noted: tuple[str, ...] = ()
    unit: str = "ratio"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor <= 0 or self.margin:
            wrong = f"factor={self.factor}, margin={self.margin}"
            raise ValueError(f"{wrong}: needs a factor above 0, and no margin")

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean ratio."""
        a, b = evidence.paired(self.metric, self.first, self.second)
        much = "at least" if self.factor >= 1 else "at most"
        that = f"{much} {self.factor:g} times that of {self.second}"
        says = f"{self.metric} of {self.first} is {that}"
        if (a > 0).all() and (b > 0).all():
            found = judged(says, paired_ratio(a, b), times(self.factor), self.unit)
        else:
            found = unknown(says, self.unit, "a value is not above 0, so there is no ratio")
        return Findings(found, notes=evidence.means(self.noted, self.arms))


@dataclass(frozen=True, kw_only=True)
class Limit(ClaimTest):
    """The mean of an arm's metric is below (or above) a limit.

    Args:
        arm: the arm.
        limit: the stated value.
        above: claim the mean above the limit instead of below it.
    """

    arm: str
    limit: float
    above: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margin:
            raise ValueError(f"margin={self.margin}: takes a limit, and no margin")

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean over seeds."""
        side = "above" if self.above else "below"
        says = f"{self.metric} of {self.arm} is {side} {self.limit:g}"
        values = evidence.sample(self.metric, self.arm)
        return Findings(mean_is(says, values, limit(self.limit, self.above), self.unit))


def limit(value: float, above: bool) -> Claimed:
    """Claim a value above or below a limit."""
    return Claimed(low=value, floor=value) if above else Claimed(high=value, ceiling=value)
