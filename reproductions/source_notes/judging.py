"""Test of claims about what results hang on: shares of the variance that a study explains."""

from collections.abc import Sequence
from dataclasses import dataclass

from moebench.claims import ClaimTest
from moebench.verdict.conditions import above, all_of, mean_is
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


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
