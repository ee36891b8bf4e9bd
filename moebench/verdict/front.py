"""Test for claims about a trade-off: what a weight buys, and what it costs at the high end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from moebench.papers.claim import ClaimTest
from moebench.verdict.claimed import below
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, all_of, any_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Front(ClaimTest):
    """As the weight rises, imbalance falls, and at the high end the metric gets worse.

    The cost leads: the highest weight has a higher metric than some lower weight. Which one is not
    named in advance, and the best of several is partly best by chance, so the p counts them all.
    The highest weight need not be worse than every other: imbalance also costs, so a weight of zero
    may be the worst.

    Args:
        weighted: the arms, by rising weight.
        imbalance: the metric that measures imbalance.
    """

    weighted: tuple[str, ...]
    imbalance: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.weighted) < 2:
            raise ValueError(f"weighted={self.weighted}: needs at least two weights")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return self.weighted

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The highest weight paired with each of the others."""
        *others, highest = self.weighted
        return [(highest, other) for other in others]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the cost, then the imbalance."""
        says = f"{self.weighted[-1]} has a higher {self.metric} than some lower weight"
        cost = any_of(says, [compared(self, evidence, *pair, "higher") for pair in self.pairs])
        falls = [self._falls(evidence, *pair) for pair in pairwise(self.weighted)]
        says = f"{self.imbalance} falls from each weight to the next"
        notes = evidence.means((self.imbalance,), self.weighted)
        return Findings(cost, [all_of(says, falls)], notes=notes)

    def _falls(self, evidence: Evidence, earlier: str, later: str) -> Condition:
        """Return the condition that imbalance falls from one weight to the next."""
        a, b = evidence.paired(self.imbalance, earlier, later)
        says = f"{later} has a lower {self.imbalance} than {earlier}"
        return mean_is(says, b - a, below(), self.imbalance)
