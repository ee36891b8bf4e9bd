"""Tests that only this paper uses: one row of a table against the others, and their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values, spearman
from moebench.statistics.estimates import mean
from moebench.verdict.claimed import above, below
from moebench.verdict.comparisons import equal
from moebench.verdict.conditions import Condition, all_of, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import Ratio
from moebench.verdict.ratios import limit as limited


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of a table that were trained on the same data."""

    worse: str
    others: tuple[str, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """All rows."""
        return self.worse, *self.others


@dataclass(frozen=True, kw_only=True)
class WorseThanRest(ClaimTest):
    """One row of a table has a higher metric than the mean of the others, which are alike.

    That it is worse leads; the differences among the others are measured relative to that gap. It
    is judged in each of the worlds that stand in for the paper's text, since any would do.

    Args:
        worlds: name -> rows trained in that world.
        share: the share of the gap that any two of the others must differ by less than.
    """

    worlds: Mapping[str, Rows]
    share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.share <= 0 or not all(rows.others for rows in self.worlds.values()):
            wrong = f"share={self.share}, worlds={self.worlds}"
            raise ValueError(f"{wrong}: needs a share above 0, and other rows in every world")

    @property
    def arms(self) -> tuple[str, ...]:
        """All rows of all worlds."""
        return tuple(arm for rows in self.worlds.values() for arm in rows.arms)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """In each world, the worse row paired with each of the others."""
        return [(rows.worse, other) for rows in self.worlds.values() for other in rows.others]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the gap in every world, and the spread of the others if there are several."""
        gaps = [self._gap(evidence, name, rows) for name, rows in self.worlds.items()]
        lead, choices = under_choices(f"without a loss {self.metric} is higher than with one", gaps)
        alike = [self._alike(evidence, rows) for rows in self.worlds.values() if rows.others[1:]]
        return Findings(lead, alike, choices)

    def _gap(self, evidence: Evidence, world: str, rows: Rows) -> Condition:
        """Return the condition that the row is worse than the mean of the others."""
        worse, *others = evidence.paired(self.metric, *rows.arms)
        says = f"{rows.worse} has a higher {self.metric} than the mean of the others"
        gap = worse - np.mean(others, axis=0)
        return mean_is(says, gap, above(self.margin), self.unit, choice=world)

    def _alike(self, evidence: Evidence, rows: Rows) -> Condition:
        """Return the condition that any two of the others differ by less than a share of the gap.

        Compares means over seeds: within one seed, the range from smallest to largest grows with
        the noise alone.
        """
        worse, *others = evidence.paired(self.metric, *rows.arms)
        limit = self.share * (worse - np.mean(others, axis=0))
        pairs = list(combinations(zip(rows.others, others, strict=True), 2))
        found = []
        for (a, x), (b, y) in pairs:
            apart = x - y if mean(x - y).value > 0 else y - x
            says = f"{a} and {b}, {mean(apart).value:.3g} {self.unit} apart: excess"
            found.append(mean_is(says, apart - limit, limited(0.0, above=False), self.unit))
        says = f"all {len(pairs)} pairs of the others differ by less than {self.share:.2g} of "
        return all_of(f"{says}that gap, {mean(limit).value:.3g} {self.unit}", found)


@dataclass(frozen=True, kw_only=True)
class RatioAtTheEnd(Ratio):
    """A ratio of two arms at the end of training, or late in training if records lack the end.

    The ratio leads; a side condition asks for a minimal value in the first arm.

    Args:
        at_least: the smallest value for the first arm.
        instead: the metric that older records have instead of `metric`.
        lacking: the caution to print in that case.
    """

    at_least: float
    instead: str
    lacking: str

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean ratio of the metric that all runs have, then its mean in the first arm."""
        runs = [run for arm in self.arms for run in evidence.finished(arm).values()]
        if all(self.metric in run.metrics for run in runs):
            return self._judge(evidence)
        earlier = replace(self, metric=self.instead, noted=(self.instead, *self.noted))
        return replace(earlier._judge(evidence), caution=self.lacking)

    def _judge(self, evidence: Evidence) -> Findings:
        says = f"{self.metric} of {self.first} is at least {self.at_least:.3g}"
        values = evidence.sample(self.metric, self.first)
        large = mean_is(says, values, limited(self.at_least, above=True), self.metric)
        return replace(super().judge(evidence), sides=[large])


@dataclass(frozen=True, kw_only=True)
class RankTrend(ClaimTest):
    """The metric falls as a setting of the arms rises, by each seed's Spearman coefficient.

    Args:
        settings: arm -> its setting.
        margin: the absolute value of the claimed (negative) coefficient.
    """

    settings: Mapping[str, float]
    unit: str = "rank correlation"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.margin <= 1 or len(self.settings) < 3:
            wrong = f"margin={self.margin}, settings={self.settings}"
            raise ValueError(f"{wrong}: needs a margin up to 1, and three arms or more")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(self.settings)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean coefficient."""
        rows = np.transpose(evidence.paired(self.metric, *self.settings))
        settings = np.array(list(self.settings.values()), dtype=float)
        # Rounded, because binary floats just miss the fractions that few ranks give.
        rho: Values = np.array([round(spearman(settings, row), 9) for row in rows])
        says = f"ranks of {self.metric} fall with the setting: correlation at most {-self.margin:g}"
        return Findings(mean_is(says, rho, below(self.margin), self.unit))


@dataclass(frozen=True, kw_only=True)
class EqualToAll(ClaimTest):
    """The metric of an arm differs by less than the margin from that of every rival.

    All rivals lead together: the paper calls the arm similar to them all.

    Args:
        arm: the arm.
        rivals: the other arms; differences are relative to theirs.
    """

    arm: str
    rivals: tuple[str, ...]
    unit: str = "share of the loss"

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm, then its rivals."""
        return self.arm, *self.rivals

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the relative difference to every rival."""
        found = [equal(self, evidence, self.arm, rival, relative=True) for rival in self.rivals]
        shares = ", ".join(
            f"{one.effect.estimate:+.1%} from {rival}"
            for rival, one in zip(self.rivals, found, strict=True)
        )
        says = f"{self.arm} is as good as all {len(self.rivals)}"
        return Findings(all_of(says, found), remark=f"{self.arm} lies {shares}")
