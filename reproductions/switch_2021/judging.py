"""Tests of claims that this paper alone makes, of two arms or of a few that have no order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import spreads
from moebench.verdict.comparisons import compared, equal
from moebench.verdict.conditions import (
    Claimed,
    Condition,
    all_of,
    any_of,
    below,
    judged,
    mean_is,
)
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit


@dataclass(frozen=True, kw_only=True)
class Crossover(ClaimTest):
    """One kind of arm beats another wherever capacity is scarce, and loses where it is ample.

    What happens at scarce capacity leads, at each one of them. The contrast of scarce and ample
    capacity is a side: alone it would be borne out by what the rival gains at ample capacity, and
    that is a claim of its own.

    Args:
        first: capacity factor -> arm that wins while capacity is scarce.
        second: capacity factor -> its rival.
        ample: the factor at which the rival wins; all others are scarce.
    """

    first: Mapping[float, str]
    second: Mapping[float, str]
    ample: float

    def __post_init__(self) -> None:
        if set(self.first) != set(self.second):
            raise ValueError("first and second: must have the same capacity factors")
        if self.ample not in self.first or not self.scarce:
            raise ValueError(f"ample={self.ample}: must be one of several capacity factors")
        super().__post_init__()

    @property
    def scarce(self) -> list[float]:
        """All capacity factors but the ample one."""
        return [factor for factor in self.first if factor != self.ample]

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms of every capacity factor."""
        return tuple(arm for pair in self.pairs for arm in pair)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The two arms of each capacity factor."""
        return [(self.first[factor], self.second[factor]) for factor in self.first]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge who wins at each scarce capacity, then at the ample one, then the contrasts."""
        ours, theirs, ample = self.first, self.second, self.ample
        wins = [compared(self, evidence, ours[f], theirs[f], "lower") for f in self.scarce]
        says = f"{' and '.join(ours[f] for f in self.scarce)} have a lower {self.metric} than "
        lead = all_of(says + " and ".join(theirs[f] for f in self.scarce), wins)
        loses = compared(self, evidence, theirs[ample], ours[ample], "lower")
        contrasts = [self._contrast(evidence, factor) for factor in self.scarce]
        gains = f"they do better against them than {ours[ample]} does against {theirs[ample]}"
        return Findings(lead, [loses, all_of(gains, contrasts)])

    def _contrast(self, evidence: Evidence, factor: float) -> Condition:
        """Return the condition that a scarce capacity is better for the first arm."""
        arms = [of[f] for f in (factor, self.ample) for of in (self.first, self.second)]
        a, b, c, d = evidence.paired(self.metric, *arms)
        says = f"{arms[0]} less {arms[1]} is lower than {arms[2]} less {arms[3]}"
        return mean_is(says, (a - b) - (c - d), below(self.margin), self.unit)


@dataclass(frozen=True, kw_only=True)
class BetterAndSteadier(ClaimTest):
    """The first arm has a lower metric than the second, and one that varies less between seeds.

    The mean leads, for a handful of seeds shows it long before it shows a spread. The test of the
    spreads takes the arms for independent; seeds that both share make it conservative.
    """

    first: str
    second: str

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean difference, then the ratio of the spreads."""
        samples = [evidence.sample(self.metric, arm) for arm in self.arms]
        says = f"{self.first} varies less between seeds than {self.second}"
        varies = judged(says, spreads(*samples), below(null=1.0), "ratio of spreads")
        return Findings(compared(self, evidence, self.first, self.second, "lower"), [varies])


@dataclass(frozen=True, kw_only=True)
class BestAndWorst(ClaimTest):
    """One arm is worse than every other one; another is best, if by a hair before the second.

    Lower is better. That one is worst leads, as the paper's figures show it most. The hair is less
    than the margin: so much less apart are best and second, and all others are worse than the best
    by the margin.

    Args:
        best: the arm with the lowest metric.
        second: the arm that it leads by a hair.
        others: those that are worse, and not worst.
        worst: the arm with the highest metric.
    """

    best: str
    second: str
    others: tuple[str, ...]
    worst: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.others:
            raise ValueError("others=(): needs an arm that is neither best, second nor worst")

    @property
    def arms(self) -> tuple[str, ...]:
        """The worst one, then the others from the best on."""
        return self.worst, self.best, self.second, *self.others

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The worst arm with each other one, the best one with all but the worst."""
        later = [(self.best, other) for other in (self.second, *self.others)]
        return [*super().pairs, *later]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the worst arm against each other one, then the best against the rest."""
        rivals = [compared(self, evidence, self.worst, arm, "higher") for arm in self.arms[1:]]
        behind = [compared(self, evidence, self.best, arm, "lower") for arm in self.others]
        return Findings(
            all_of(f"{self.worst} is worst of {len(self.arms)}", rivals),
            [
                equal(self, evidence, self.best, self.second),
                all_of(f"{self.best} leads all but {self.second} by more", behind),
            ],
        )


@dataclass(frozen=True, kw_only=True)
class Undisturbed(ClaimTest):
    """A setting between two extremes keeps a promise, and the metric does not pay for it.

    That no other setting is better by the margin leads: each is held against it, for the best of
    several is better by chance, too. The promise is a side, and so is that an extreme is worse:
    without it any setting would do.

    Args:
        chosen: the arm of the setting.
        lowest: that of the lowest setting.
        highest: that of the highest.
        between: those of others.
        keeps: the metric that is promised to stay below `limit`.
        limit: of the promise.
    """

    chosen: str
    lowest: str
    highest: str
    between: tuple[str, ...]
    keeps: str
    limit: float

    @property
    def arms(self) -> tuple[str, ...]:
        """The chosen one, then the others from the lowest to the highest."""
        return self.chosen, self.lowest, *self.between, self.highest

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the metric against every other setting, then the promise, then the extremes."""
        near = [self._as_good(evidence, other) for _, other in self.pairs]
        says = f"no other arm is better than {self.chosen} by {self.margin:g} {self.unit}"
        kept = mean_is(
            f"{self.chosen} keeps {self.keeps} below {self.limit:g}",
            evidence.sample(self.keeps, self.chosen),
            limit(self.limit, above=False),
            "share",
        )
        extremes = (self.lowest, self.highest)
        worse = [compared(self, evidence, self.chosen, arm, "lower") for arm in extremes]
        matters = any_of(f"{self.chosen} is better than one of the extremes", worse)
        notes = evidence.means((self.keeps,), self.arms)
        return Findings(all_of(says, near), [kept, matters], notes=notes)

    def _as_good(self, evidence: Evidence, other: str) -> Condition:
        """Return the condition that the chosen arm is not worse than another by the margin."""
        ours, theirs = evidence.paired(self.metric, self.chosen, other)
        says = f"{self.chosen} is worse than {other} by less"
        claimed = Claimed(high=self.margin, ceiling=self.margin)
        return mean_is(says, ours - theirs, claimed, self.unit)
