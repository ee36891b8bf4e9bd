"""The test that only the claim about the number of experts of a token uses."""

from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import any_of
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class WorseThanBest(ClaimTest):
    """An arm has a higher metric than the best of several others, by at least the margin.

    Which of them is the best is not known in advance: one that is lower is enough, by a p that
    counts them all.

    Args:
        first: the arm.
        others: those it is compared with.
    """

    first: str
    others: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.others:
            raise ValueError("others: needs at least one arm")

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm, then the others."""
        return self.first, *self.others

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every difference; one leads."""
        found = [compared(self, evidence, self.first, other, "higher") for other in self.others]
        says = f"{self.first} has a higher {self.metric} than some other arm"
        return Findings(any_of(says, found), notes=evidence.means((self.metric,), self.arms))
