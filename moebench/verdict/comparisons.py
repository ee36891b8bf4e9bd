"""Tests of claims that compare means of two or more arms, seed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from moebench.papers.claim import ClaimTest, Direction
from moebench.verdict.claimed import Claimed, above, below, within
from moebench.verdict.conditions import Condition, all_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Difference(ClaimTest):
    """The first arm's metric is lower (or higher) than the second's by at least the margin."""

    first: str
    second: str
    direction: Direction = "lower"

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean difference."""
        return Findings(compared(self, evidence, self.first, self.second, self.direction))


@dataclass(frozen=True, kw_only=True)
class Equivalence(ClaimTest):
    """The metrics of two arms differ by less than the margin.

    Args:
        first: one arm.
        second: the other arm.
        relative: divide differences by the second arm's metric.
    """

    first: str
    second: str
    relative: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margin == 0:
            raise ValueError("margin=0: must be above 0, as no difference is below 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge whether the interval of the difference stays within the margin on both sides."""
        return Findings(equal(self, evidence, self.first, self.second, self.relative))


@dataclass(frozen=True, kw_only=True)
class NoWorse(ClaimTest):
    """The first arm's metric exceeds the second's by less than the margin; lower is better."""

    first: str
    second: str

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge whether the interval of the difference stays below the margin."""
        a, b = evidence.paired(self.metric, self.first, self.second)
        says = f"{self.first} is worse than {self.second} by less than {self.margin:g} {self.unit}"
        claimed = Claimed(high=self.margin, ceiling=self.margin)
        return Findings(mean_is(says, a - b, claimed, self.unit))


@dataclass(frozen=True, kw_only=True)
class Order(ClaimTest):
    """Each arm's metric is lower (or higher) than the next one's by at least the margin.

    Args:
        ordered: the arms, in the claimed order.
        direction: how each arm compares with the next.
        lead: the two neighbours that the claim is about; the others become side conditions. None:
            the claim is about all of them.
    """

    ordered: tuple[str, ...]
    direction: Direction = "lower"
    lead: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.ordered) < 2:
            raise ValueError(f"ordered={self.ordered}: needs two arms or more")
        if self.lead and self.lead not in pairwise(self.ordered):
            raise ValueError(f"lead={self.lead}: not neighbours in {', '.join(self.ordered)}")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return self.ordered

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """All neighbours."""
        return list(pairwise(self.ordered))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the difference between all neighbours."""
        found = {
            (first, second): compared(self, evidence, first, second, self.direction)
            for first, second in self.pairs
        }
        if self.lead is None:
            return Findings(all_of("the arms are in the claimed order", list(found.values())))
        return Findings(found.pop(self.lead), list(found.values()))


def compared(
    test: ClaimTest, evidence: Evidence, first: str, second: str, direction: Direction
) -> Condition:
    """Return the condition that the first arm's metric is lower, or higher, than the second's."""
    a, b = evidence.paired(test.metric, first, second)
    says = f"{first} has a {direction} {test.metric} than {second}"
    claimed = below(test.margin) if direction == "lower" else above(test.margin)
    return mean_is(says, a - b, claimed, test.unit)


def equal(
    test: ClaimTest, evidence: Evidence, first: str, second: str, relative: bool = False
) -> Condition:
    """Return the condition that the metrics of two arms differ by less than the margin."""
    a, b = evidence.paired(test.metric, first, second)
    says = f"{first} and {second} differ by less than {test.margin:g} {test.unit} in {test.metric}"
    differences = (a - b) / b if relative else a - b
    return mean_is(says, differences, within(-test.margin, test.margin), test.unit)
