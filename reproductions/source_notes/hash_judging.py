"""The test that only the claim about hash routing uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import Claimed
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class AvoidsProblems(ClaimTest):
    """Loads are more even than without a balance loss; loss and its spread are no worse.

    The loads lead; the others are side conditions, of every choice.

    Args:
        under: choice that the account leaves open -> its arm.
        unbalanced: a trained gate without a balance loss.
        learned: a trained gate with one.
        allowed: by how much loss and spread may exceed those of the latter, in nats.
    """

    under: Mapping[str, str]
    unbalanced: str
    learned: str
    allowed: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.allowed <= 0:
            raise ValueError(f"allowed={self.allowed}: must be above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of all choices, then the two trained gates."""
        return (*self.under.values(), self.unbalanced, self.learned)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Each choice with both trained gates."""
        gates = (self.unbalanced, self.learned)
        return [(arm, gate) for arm in self.under.values() for gate in gates]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the loads under every choice, then loss and spread under each."""
        choices, sides = [], []
        for choice, arm in self.under.items():
            even = compared(self, evidence, arm, self.unbalanced, "lower")
            choices.append(replace(even, choice=choice))
            ours, theirs = evidence.paired("valid/loss", arm, self.learned)
            sides.append(self._no_worse(arm, "valid/loss", ours - theirs))
            spread = _off_the_median(ours) - _off_the_median(theirs)
            sides.append(self._no_worse(arm, "distance of valid/loss from its median", spread))
        says = f"{self.metric} is lower than of {self.unbalanced}"
        lead, choices = under_choices(says, choices)
        notes = evidence.means((self.metric, "valid/loss"), self.arms)
        return Findings(lead, sides, choices, notes)

    def _no_worse(self, arm: str, quantity: str, differences: Values) -> Condition:
        """Return the condition that a quantity exceeds that of the trained gate by little."""
        says = f"{quantity} of {arm} exceeds that of {self.learned} by less than {self.allowed:g}"
        claimed = Claimed(high=self.allowed, ceiling=self.allowed)
        return mean_is(says, differences, claimed, "nats")


def _off_the_median(values: Values) -> Values:
    """Return how far each value is from their median."""
    distances: Values = np.abs(values - np.median(values)) if len(values) else values
    return distances
