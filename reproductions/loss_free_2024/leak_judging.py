"""The test of a leak: a loss below what any model can reach that does not know what comes next."""

from dataclasses import dataclass
from itertools import pairwise

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import Claimed, below
from moebench.verdict.conditions import Condition, all_of, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class BelowEntropy(ClaimTest):
    """An arm's loss is below the entropy of its text, which shows that it knows what comes next.

    That leads. Side conditions ask that the loss rises with the size of the chunks, and that the
    loss is not below the entropy where the leak is closed.

    Args:
        arm: the arm.
        entropy: that of the text, in `unit` per token.
        larger: the arms with larger chunks, by rising size.
        closed: arms without the leak.
        closed_in: metrics of `arm` itself without the leak.
    """

    arm: str
    entropy: float
    larger: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    closed_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.entropy > 0 and self.margin > 0):
            raise ValueError(f"entropy={self.entropy}, margin={self.margin}: must both be above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return self.arm, *self.larger, *self.closed

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the loss against the entropy, then the sizes of chunks and what closes the leak."""
        gap = evidence.sample(self.metric, self.arm) - self.entropy
        says = f"{self.metric} of {self.arm} is below the entropy of its text, {self.entropy:.4g}"
        lead = mean_is(says, gap, below(self.margin), self.unit)
        sides = [self._closed(self.metric, arm, evidence) for arm in self.closed]
        sides += [self._closed(metric, self.arm, evidence) for metric in self.closed_in]
        if self.larger:
            sides.insert(0, self._rising(evidence))
        return Findings(lead, sides, notes=evidence.means(self.closed_in, [self.arm]))

    def _rising(self, evidence: Evidence) -> Condition:
        """Return the condition that every arm's loss is below that of the next larger chunks."""
        found = []
        for smaller, larger in pairwise((self.arm, *self.larger)):
            a, b = evidence.paired(self.metric, smaller, larger)
            says = f"{smaller} has a lower {self.metric} than {larger}"
            found.append(mean_is(says, a - b, below(), self.unit))
        return all_of("the smaller the chunks, the lower the loss", found)

    def _closed(self, metric: str, arm: str, evidence: Evidence) -> Condition:
        """Return the condition that a loss is not below the entropy by as much as the margin."""
        gap: Values = evidence.sample(metric, arm) - self.entropy
        says = f"{metric} of {arm} is not below the entropy by {self.margin:g} {self.unit}"
        return mean_is(says, gap, Claimed(low=-self.margin, floor=-self.margin), self.unit)
