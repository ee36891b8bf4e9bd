"""The test that only the claim about the number of experts of a token uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from moebench.papers.claim import ClaimTest
from moebench.papers.plan import EQUAL
from moebench.statistics.estimates import paired_ratio
from moebench.verdict.claimed import Claimed
from moebench.verdict.comparisons import compared
from moebench.verdict.conditions import Condition, any_of, judged, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence, paired

Arms = Mapping[int, str]  # k -> the arm whose tokens have k experts, by rising k


@dataclass(frozen=True, kw_only=True)
class BestInBetween(ClaimTest):
    """With the fewest experts a token the loss is worse than with the best number of them.

    That leads, under both choices of what stays the same as k rises. Side conditions ask that
    nothing is saved with the most: that they take the FLOPs of a dense model with as many
    parameters, and that for equal FLOPs some smaller number is no worse by the margin.

    Args:
        sized: arms with experts of one size, which take more FLOPs the larger k is.
        equal: arms with equal FLOPs, whose experts are the narrower the larger k is.
        dense: the dense model with the parameters of the last arm of `sized`; empty in controls,
            which do not ask what is saved.
    """

    sized: Arms
    equal: Arms
    dense: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, arms in (("sized", self.sized), ("equal", self.equal)):
            if len(arms) < 2 or list(arms) != sorted(arms):
                raise ValueError(
                    f"{name}={list(arms)}: needs two numbers of experts or more, rising"
                )

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of both choices, then the dense model."""
        listed = [*self.sized.values(), *self.equal.values(), self.dense]
        return tuple(dict.fromkeys(arm for arm in listed if arm))

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Those that have equal FLOPs."""
        fewest, *others = self.equal.values()
        return [(fewest, other) for other in others]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the fewest under both choices, then what the most save."""
        choices = [
            replace(self._worse(evidence, arms), choice=choice)
            for choice, arms in (
                ("experts of one size", self.sized),
                ("equal active FLOPs", self.equal),
            )
        ]
        says = f"the fewest experts have a higher {self.metric} than some larger number"
        lead, choices = under_choices(says, choices)
        sides = [self._as_dear(evidence), self._no_better(evidence)] if self.dense else []
        return Findings(lead, sides, choices, evidence.means((self.metric,), self.arms))

    def _worse(self, evidence: Evidence, arms: Arms) -> Condition:
        """Return the condition that the first arm is worse than some other by the margin."""
        fewest, *others = arms.values()
        found = [compared(self, evidence, fewest, other, "higher") for other in others]
        return any_of(f"{fewest} has a higher {self.metric} than some larger k", found)

    def _as_dear(self, evidence: Evidence) -> Condition:
        """Return the condition that the most experts take the FLOPs of the dense model."""
        most = list(self.sized.values())[-1]
        flops = (
            {seed: run.flops_per_token for seed, run in evidence.finished(arm).items()}
            for arm in (most, self.dense)
        )
        least = 1 - EQUAL["flops_per_token"]
        says = f"{most} takes at least {least:.0%} of the FLOPs of {self.dense}"
        estimate = paired_ratio(*paired(*flops))
        return judged(says, estimate, Claimed(low=least, floor=least), "times the FLOPs")

    def _no_better(self, evidence: Evidence) -> Condition:
        """Return the condition that, for equal FLOPs, some smaller number is no worse."""
        *others, most = self.equal.values()
        claimed = Claimed(high=self.margin, ceiling=self.margin)
        found = []
        for other in others:
            a, b = evidence.paired(self.metric, other, most)
            says = f"{other} is worse than {most} by less than {self.margin:g} {self.unit}"
            found.append(mean_is(says, a - b, claimed, self.unit))
        return any_of(f"{most} is no better than some smaller k for equal FLOPs", found)
