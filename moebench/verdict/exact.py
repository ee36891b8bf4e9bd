"""Test of claims that follow, or do not, from a computation: no seeds, no interval, no p."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from moebench.claims import ClaimTest
from moebench.statistics.estimates import Known
from moebench.verdict.conditions import Claimed, Condition, all_of, judged, unknown
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


@dataclass(frozen=True, kw_only=True)
class Exact(ClaimTest):
    """Metrics of a computed record are what is stated. The effect is the value that was found.

    Args:
        arm: the computed arm.
        equals: metric -> stated value.
        at_least: metric -> smallest value stated.
        at_most: metric -> largest value stated.
        tolerance: how far off a value may be, by rounding in the paper or in the computation.
    """

    arm: str
    equals: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.equals or self.at_least or self.at_most):
            raise ValueError(f"arm={self.arm}: nothing is stated of it")

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every stated value."""
        records = list(evidence.finished(self.arm).values())
        metrics = records[0].metrics if records else {}
        stated = [
            *((name, "", value, value) for name, value in self.equals.items()),
            *((name, "at least ", value, inf) for name, value in self.at_least.items()),
            *((name, "at most ", -inf, value) for name, value in self.at_most.items()),
        ]
        conditions = [self._condition(metrics, *one) for one in stated]
        return Findings(all_of(f"all {len(conditions)} values are as stated", conditions))

    def _condition(
        self, metrics: Mapping[str, float], name: str, word: str, low: float, high: float
    ) -> Condition:
        """Return the condition that a metric lies between two values."""
        if name not in metrics:
            return unknown(name, self.unit, "not in the computed record")
        value = metrics[name]
        says = f"{name} is {value:.6g}, stated {word}{low if low > -inf else high:.6g}"
        low, high = low - self.tolerance, high + self.tolerance
        return judged(says, Known(value, 1), Claimed(low, high, low, high), self.unit)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []
