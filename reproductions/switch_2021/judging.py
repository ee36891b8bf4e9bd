"""Tests that only this paper uses, for two arms or a few without an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import spreads
from moebench.verdict.claimed import Claimed, below
from moebench.verdict.comparisons import compared, equal
from moebench.verdict.conditions import Condition, all_of, any_of, judged, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit


@dataclass(frozen=True, kw_only=True)
class Crossover(ClaimTest):
    """One kind of arm beats another wherever capacity is scarce, and loses where it is ample.

    The results at each scarce capacity lead. The contrast between scarce and ample capacity is a
    side condition: alone, it could hold just because the rival gains at ample capacity, which is a
    separate claim.

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
        gains = f"their advantage is greater than that of {ours[ample]} over {theirs[ample]}"
        return Findings(lead, [loses, all_of(gains, contrasts)])

    def _contrast(self, evidence: Evidence, factor: float) -> Condition:
        """Return the condition that a scarce capacity is better for the first arm."""
        arms = [of[f] for f in (factor, self.ample) for of in (self.first, self.second)]
        a, b, c, d = evidence.paired(self.metric, *arms)
        says = f"{arms[0]} - {arms[1]} is lower than {arms[2]} - {arms[3]}"
        return mean_is(says, (a - b) - (c - d), below(self.margin), self.unit)


@dataclass(frozen=True, kw_only=True)
class BetterAndSteadier(ClaimTest):
    """The first arm's metric is lower than the second's, and varies less between seeds.

    The mean leads, because a handful of seeds show a mean long before they show a spread. The test
    of the spreads treats the arms as independent; shared seeds make it conservative.
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
    """One arm is worse than all others; another is best, if only slightly better than the second.

    Lower is better. That one arm is worst leads, as it shows most clearly in the paper's figures.
    Slightly means by less than the margin; all other arms are worse than the best by the margin.

    Args:
        best: the arm with the lowest metric.
        second: the arm that is only slightly worse.
        others: the arms that are worse, but not worst.
        worst: the arm with the highest metric.
    """

    best: str
    second: str
    others: tuple[str, ...]
    worst: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.others:
            raise ValueError("others=(): needs an arm that is neither best nor second nor worst")

    @property
    def arms(self) -> tuple[str, ...]:
        """The worst arm, then the others from the best on."""
        return self.worst, self.best, self.second, *self.others

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The worst arm paired with each of the others, and the best with all but the worst."""
        later = [(self.best, other) for other in (self.second, *self.others)]
        return [*super().pairs, *later]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the worst arm against each of the others, then the best against the rest."""
        rivals = [compared(self, evidence, self.worst, arm, "higher") for arm in self.arms[1:]]
        behind = [compared(self, evidence, self.best, arm, "lower") for arm in self.others]
        return Findings(
            all_of(f"{self.worst} is the worst of {len(self.arms)} arms", rivals),
            [
                equal(self, evidence, self.best, self.second),
                all_of(f"{self.best} is better than the others by more", behind),
            ],
        )


@dataclass(frozen=True, kw_only=True)
class Undisturbed(ClaimTest):
    """A setting between two extremes keeps one metric below a limit without hurting the main one.

    That no other setting is better by the margin leads; each is compared, because the best of
    several is also better by chance. Side conditions are that the limit is kept, and that an
    extreme is worse: otherwise any setting would do.

    Args:
        chosen: the arm with the setting.
        lowest: the arm with the lowest setting.
        highest: the arm with the highest setting.
        between: the arms with other settings.
        keeps: the metric claimed to stay below `limit`.
        limit: its limit.
    """

    chosen: str
    lowest: str
    highest: str
    between: tuple[str, ...]
    keeps: str
    limit: float

    @property
    def arms(self) -> tuple[str, ...]:
        """The chosen arm, then the others from the lowest setting to the highest."""
        return self.chosen, self.lowest, *self.between, self.highest

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the metric against every other setting, then the limit, then the extremes."""
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
        says = f"{self.chosen} is not worse than {other} by that much"
        claimed = Claimed(high=self.margin, ceiling=self.margin)
        return mean_is(says, ours - theirs, claimed, self.unit)
