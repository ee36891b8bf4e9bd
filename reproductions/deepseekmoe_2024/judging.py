"""Tests that only this paper uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import ratio
from moebench.verdict.claimed import above, below
from moebench.verdict.comparisons import equal
from moebench.verdict.conditions import all_of, judged, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit


@dataclass(frozen=True, kw_only=True)
class ClosesGap(ClaimTest):
    """An arm closes at least a share of the gap between a small model and a large one.

    Args:
        arm: the arm.
        small: the model at the start of the gap.
        large: the model at its end.
        share: the smallest share claimed.
    """

    arm: str
    small: str
    large: str
    share: float
    unit: str = "share of the gap"

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm, then both ends of the gap."""
        return self.arm, self.small, self.large

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The arm with the large model, whose parameters it shares."""
        return [(self.arm, self.large)]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the ratio of mean differences; a side condition asks that there is a gap."""
        ours, small, large = evidence.paired(self.metric, *self.arms)
        says = f"{self.arm} closes {self.share:.0%} of the gap from {self.small} to {self.large}"
        closed = judged(
            says, ratio(small - ours, small - large), limit(self.share, True), self.unit
        )
        says = f"{self.large} has a lower {self.metric} than {self.small}"
        return Findings(closed, [mean_is(says, large - small, below(self.margin), "nats")])


@dataclass(frozen=True, kw_only=True)
class Factorial(ClaimTest):
    """Splitting experts lowers the metric, and so does sharing one, each averaged over the other.

    Both lead together. The paper shows one path through the table, so side conditions ask that
    sharing helps at every granularity, and that every split does: a line falls even if one step
    has all of the gain.

    Args:
        plain: granularity -> arm without a shared expert.
        shared: granularity -> arm with one.
    """

    plain: Mapping[int, str]
    shared: Mapping[int, str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if set(self.plain) != set(self.shared) or len(self.plain) < 2:
            raise ValueError("plain and shared: must have the same granularities, two or more")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, those without a shared expert first."""
        return *self.plain.values(), *self.shared.values()

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the slope over granularity and the effect of sharing."""
        values = np.array(evidence.paired(self.metric, *self.arms))
        plain_GS, shared_GS = np.split(values, 2)
        doublings = np.log2(list(self.plain))
        mean_GS = (plain_GS + shared_GS) / 2
        slopes = np.array([np.polyfit(doublings, row, 1)[0] for row in mean_GS.T])
        finer = mean_is(
            f"{self.metric} falls with each doubling of the number of experts",
            *(slopes, below(self.margin), self.unit),
        )
        gains = shared_GS - plain_GS
        says = f"{self.metric} is lower with a shared expert than without one"
        sharing = mean_is(says, gains.mean(axis=0), below(self.margin), self.unit)
        each = [
            mean_is(f"at granularity {g}", gain, below(), self.unit)
            for g, gain in zip(self.plain, gains, strict=True)
        ]
        lead = all_of("finer experts help, and so does sharing one", [finer, sharing])
        splits = [
            mean_is(f"from granularity {few} to {many}", after - before, below(), self.unit)
            for (few, before), (many, after) in pairwise(zip(self.plain, mean_GS, strict=True))
        ]
        sides = [
            all_of("sharing one helps at every granularity", each),
            all_of("every split helps", splits),
        ]
        return Findings(lead, sides)


@dataclass(frozen=True, kw_only=True)
class AllEqual(ClaimTest):
    """Any two arms differ by less than the margin.

    Args:
        alike: the arms.
    """

    alike: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.alike) < 2 or self.margin == 0:
            raise ValueError("alike, margin: need two arms or more, and a margin above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return self.alike

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Every two of them."""
        return list(combinations(self.alike, 2))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every difference."""
        found = [equal(self, evidence, *pair) for pair in self.pairs]
        return Findings(all_of(f"all {len(self.alike)} are alike", found))


@dataclass(frozen=True, kw_only=True)
class TimesAsMuch(ClaimTest):
    """One rise of an arm exceeds a multiple of another rise of the same arm by the margin.

    The multiple is subtracted rather than divided by: the smaller rise may be about zero, where a
    ratio has no interval.

    Args:
        arm: the arm.
        other: the metric of the smaller rise; `metric` is that of the larger one.
        factor: the multiple.
    """

    arm: str
    other: str
    factor: float

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge what is left of the larger rise."""
        large, small = (evidence.values(name, self.arm) for name in (self.metric, self.other))
        left = np.array(
            [large[seed] - self.factor * small[seed] for seed in large if seed in small]
        )
        says = f"{self.metric} exceeds {self.factor:g} times {self.other}"
        notes = evidence.means((self.metric, self.other), self.arms)
        return Findings(mean_is(says, left, above(self.margin), self.unit), notes=notes)


@dataclass(frozen=True, kw_only=True)
class HigherInAll(ClaimTest):
    """Each of several metrics of the first arm differs from that of the second as claimed.

    Args:
        first: one arm.
        second: the other arm.
        also: the metrics beside `metric`; all lead together.
        direction: of the first arm compared with the second.
    """

    first: str
    second: str
    also: tuple[str, ...]
    direction: Literal["lower", "higher"] = "higher"

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the difference of every metric."""
        claimed = above(self.margin) if self.direction == "higher" else below(self.margin)
        found = []
        for metric in (self.metric, *self.also):
            a, b = evidence.paired(metric, *self.arms)
            says = f"{self.first} has a {self.direction} {metric} than {self.second}"
            found.append(mean_is(says, a - b, claimed, self.unit))
        return Findings(all_of(f"{self.direction} in all", found))
