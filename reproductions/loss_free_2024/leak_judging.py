"""The test of a leak: a loss below what any model can reach that does not know what comes next."""

from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import Claimed, below
from moebench.verdict.conditions import Condition, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class BelowEntropy(ClaimTest):
    """An arm's loss is below the entropy of its text, which shows that it knows what comes next.

    That leads. Side conditions ask that the loss is lower than in larger chunks, and that it is not
    below the entropy where the leak is closed.

    Args:
        arm: the arm.
        entropy: that of the text, in `unit` per token.
        larger: the arm with larger chunks; empty: not asked.
        closed: arms without the leak.
        closed_in: metrics of `arm` itself, run as a causal model. They cannot be below the entropy
            unless the code that makes it causal is wrong, which is what they check.
    """

    arm: str
    entropy: float
    larger: str = ""
    closed: tuple[str, ...] = ()
    closed_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.entropy > 0 and self.margin > 0):
            raise ValueError(f"entropy={self.entropy}, margin={self.margin}: must both be above 0")

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(arm for arm in (self.arm, self.larger, *self.closed) if arm)

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the loss against the entropy, then the larger chunks and what closes the leak."""
        gap = evidence.sample(self.metric, self.arm) - self.entropy
        says = f"{self.metric} of {self.arm} is below the entropy of its text, {self.entropy:.4g}"
        lead = mean_is(says, gap, below(self.margin), self.unit)
        sides = [self._closed(self.metric, arm, evidence) for arm in self.closed]
        sides += [self._closed(metric, self.arm, evidence) for metric in self.closed_in]
        if self.larger:
            sides.insert(0, self._lower(evidence))
        return Findings(lead, sides, notes=evidence.means(self.closed_in, [self.arm]))

    def _lower(self, evidence: Evidence) -> Condition:
        """Return the condition that the loss is below that of the larger chunks."""
        a, b = evidence.paired(self.metric, self.arm, self.larger)
        says = f"{self.arm} has a lower {self.metric} than {self.larger}"
        return mean_is(says, a - b, below(), self.unit)

    def _closed(self, metric: str, arm: str, evidence: Evidence) -> Condition:
        """Return the condition that a loss is not below the entropy by as much as the margin."""
        gap: Values = evidence.sample(metric, arm) - self.entropy
        says = f"{metric} of {arm} is not below the entropy by {self.margin:g} {self.unit}"
        return mean_is(says, gap, Claimed(low=-self.margin, floor=-self.margin), self.unit)
