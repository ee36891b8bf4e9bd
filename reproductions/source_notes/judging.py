"""The tests of claims that the accounts alone use: on shares of a variance, and on two means."""

from collections.abc import Sequence
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import difference
from moebench.verdict.conditions import above, all_of, below, judged, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit


@dataclass(frozen=True, kw_only=True)
class ExplainsMore(ClaimTest):
    """Each of some settings explains a larger share of the variance than another one does.

    They lead as one: the claim is about each of them.

    Args:
        study: the arm, which has a value a seed.
        shares: metrics, the shares of the settings; `metric` is that which they are held against.
    """

    study: str
    shares: tuple[str, ...]
    unit: str = "share of the variance"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.shares:
            raise ValueError("shares=(): nothing is held against the metric")

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
    """The first arm has a lower metric than the second, by the margin; and one below a limit.

    That it is lower leads: a limit that both keep would say nothing of the first.

    Args:
        first: the arm of which this is claimed.
        second: the other.
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
        much = f", by {self.margin:g} or more" if self.margin else ""
        lower = f"{self.first} has a lower {self.metric} than {self.second}{much}"
        kept = f"{self.metric} of {self.first} is below {self.within:g}"
        return Findings(
            judged(lower, difference(first, second), below(self.margin), self.unit),
            [mean_is(kept, first, limit(self.within, above=False), self.unit)],
        )
