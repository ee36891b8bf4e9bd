"""Tests that only these accounts use: on shares of a variance, two means and fronts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import difference
from moebench.verdict.claimed import above, below
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import all_of, judged, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.front import Front
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit


@dataclass(frozen=True, kw_only=True)
class ExplainsMore(ClaimTest):
    """Each of several settings explains a larger share of the variance than another setting.

    They lead together, because the claim is about each of them.

    Args:
        study: the arm, with one value per seed.
        shares: the metrics with the settings' shares; `metric` is the share they are compared with.
    """

    study: str
    shares: tuple[str, ...]
    unit: str = "share of the variance"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.shares:
            raise ValueError("shares=(): nothing to compare with the metric")

    @property
    def arms(self) -> tuple[str, ...]:
        """The study."""
        return (self.study,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the difference of the shares, seed by seed."""
        against = evidence.sample(self.metric, self.study)
        conditions = [
            mean_is(
                f"{share} is larger than {self.metric}",
                evidence.sample(share, self.study) - against,
                above(self.margin),
                self.unit,
            )
            for share in self.shares
        ]
        lead = all_of(f"each of {len(conditions)} settings explains more", conditions)
        return Findings(lead, notes=evidence.means((*self.shares, self.metric), self.arms))


@dataclass(frozen=True, kw_only=True)
class LowerAndWithin(ClaimTest):
    """The first arm's metric is lower than the second's by the margin, and below a limit.

    The comparison leads: a limit that both meet would say nothing about the first.

    Args:
        first: the arm that the claim is about.
        second: the other arm.
        within: the limit.
    """

    first: str
    second: str
    within: float

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the difference of means, then the limit."""
        first, second = (evidence.sample(self.metric, arm) for arm in self.arms)
        much = f", by at least {self.margin:g}" if self.margin else ""
        lower = f"{self.first} has a lower {self.metric} than {self.second}{much}"
        kept = f"{self.metric} of {self.first} is below {self.within:g}"
        return Findings(
            judged(lower, difference(first, second), below(self.margin), self.unit),
            [mean_is(kept, first, limit(self.within, above=False), self.unit)],
        )


@dataclass(frozen=True, kw_only=True)
class HigherUnderChoices(ClaimTest):
    """Under each of several choices an arm has a higher metric than one and the same other arm.

    Args:
        under: choice that the account leaves open -> its arm.
        second: the arm that all are compared with.
    """

    under: Mapping[str, str]
    second: str

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of all choices, then the one they are compared with."""
        return (*self.under.values(), self.second)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Each choice with the other arm."""
        return [(arm, self.second) for arm in self.under.values()]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean difference under every choice."""
        choices = [
            replace(compared(self, evidence, arm, self.second, "higher"), choice=choice)
            for choice, arm in self.under.items()
        ]
        lead, choices = under_choices(f"{self.metric} is higher than of {self.second}", choices)
        return Findings(lead, choices=choices, notes=evidence.means((self.metric,), self.arms))


@dataclass(frozen=True, kw_only=True)
class FrontInWorlds(ClaimTest):
    """A front in each of several worlds: the account leaves open which one it means.

    Args:
        worlds: name -> the arms trained in it, by rising weight.
        imbalance: the metric of imbalance.
    """

    worlds: Mapping[str, tuple[str, ...]]
    imbalance: str

    @property
    def fronts(self) -> dict[str, Front]:
        """World -> its front."""
        return {
            world: Front(
                weighted=arms,
                imbalance=self.imbalance,
                metric=self.metric,
                unit=self.unit,
                margin=self.margin,
            )
            for world, arms in self.worlds.items()
        }

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms of all worlds."""
        return tuple(chain(*self.worlds.values()))

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """In each world the highest weight with each other one."""
        return [pair for front in self.fronts.values() for pair in front.pairs]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the cost in every world, then the imbalance in each."""
        found = {world: front.judge(evidence) for world, front in self.fronts.items()}
        costs = [replace(one.lead, choice=world) for world, one in found.items()]
        says = f"the highest weight has a higher {self.metric} than some lower one"
        lead, choices = under_choices(says, costs)
        sides = [side for one in found.values() for side in one.sides]
        notes = evidence.means((self.imbalance,), self.arms)
        return Findings(lead, sides, choices, notes)
