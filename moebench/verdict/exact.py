"""Test for claims that a computation decides: no seeds, no interval, no p."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import Known
from moebench.verdict.claimed import Claimed
from moebench.verdict.conditions import Condition, State, all_of, judged, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Exact(ClaimTest):
    """The metrics of a computed record have the stated values. The effect is the value found.

    Of several values, the effect is the one that is not as stated, or else that of `metric`.

    Args:
        arm: the computed arm.
        equals: metric -> stated value.
        at_least: metric -> smallest value stated.
        at_most: metric -> largest value stated.
        tolerance: allowance for rounding in the paper or in the computation.
        metric: the metric to print; by default the first one stated.
    """

    arm: str
    equals: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 1e-9
    metric: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        stated = [*self.equals, *self.at_least, *self.at_most]
        if not stated:
            raise ValueError(f"arm={self.arm}: nothing is stated about it")
        if self.margin or self.tolerance < 0:
            wrong = f"margin={self.margin}, tolerance={self.tolerance}"
            raise ValueError(f"{wrong}: takes no margin, and a tolerance of at least 0")
        object.__setattr__(self, "metric", self.metric or stated[0])
        if self.metric not in stated:
            raise ValueError(f"metric={self.metric}: nothing is stated about it")

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every stated value; the sentence names the wrong ones, or else all."""
        records = list(evidence.finished(self.arm).values())
        metrics = records[0].metrics if records else {}
        stated = [
            *((name, "", value, value) for name, value in self.equals.items()),
            *((name, "at least ", value, inf) for name, value in self.at_least.items()),
            *((name, "at most ", -inf, value) for name, value in self.at_most.items()),
        ]
        conditions = {one[0]: self._condition(metrics, *one) for one in stated}
        wrong = [one.says for one in conditions.values() if one.state is not State.HOLDS]
        says = "; ".join(wrong or [one.says for one in conditions.values()])
        if not wrong:
            return Findings(replace(conditions[self.metric], says=says))
        if len(conditions) > 1:
            says = f"{len(wrong)} of {len(conditions)} values are not as stated: {says}"
        return Findings(replace(all_of("", list(conditions.values())), says=says))

    def _condition(
        self, metrics: Mapping[str, float], name: str, bound: str, low: float, high: float
    ) -> Condition:
        """Return the condition that a metric lies between two values."""
        if name not in metrics:
            return unknown(f"{name} is missing", self.unit, "not in the computed record")
        value = metrics[name]
        says = f"{name} is {value:.6g}, stated {bound}{low if low > -inf else high:.6g}"
        if self.tolerance > 1e-6:  # anything smaller only allows for floating-point rounding
            says += f" ± {self.tolerance:g}"
        low, high = low - self.tolerance, high + self.tolerance
        return judged(says, Known(value, 1), Claimed(low, high, low, high), self.unit)
