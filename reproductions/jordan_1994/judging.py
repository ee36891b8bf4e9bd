"""Tests for claims about the number of passes through the training set, and the error they reach.

The systems compared have independent seeds, so nothing is paired. A run reports the number of
epochs it needed, its error, whether it failed, and whether its error was still falling at the end,
in which case its epochs are a lower bound. Failed runs are counted and left out of all means, as in
Jordan and Jacobs 1994. Ratios are those of geometric means.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.statistics.estimates import Estimate, difference, geometric
from moebench.verdict.claimed import Claimed, below
from moebench.verdict.conditions import Condition, all_of, judged
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence

EPOCHS, ERROR, FAILED, FALLING = "epochs", "relative_error", "failed", "still_falling"
SECONDS = "seconds"
NOTED = (EPOCHS, ERROR, FALLING, "epochs_to_0.15", "step", "search/epochs", SECONDS)


@dataclass(frozen=True, kw_only=True)
class Passes(ClaimTest):
    """The base class of both tests.

    Args:
        shown: arms that are printed with the others but not judged.
    """

    shown: tuple[str, ...] = ()
    metric: str = EPOCHS
    unit: str = "ratio of epochs"

    @property
    @abstractmethod
    def judged_arms(self) -> tuple[str, ...]:
        """The arms that are judged."""

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms; those that are only shown come last."""
        return (*self.judged_arms, *self.shown)

    def epochs(
        self, says: str, evidence: Evidence, first: str, second: str, claimed: Claimed
    ) -> Condition:
        """Return a condition on the ratio of the first arm's epochs to the second's."""
        remarks = []
        for arm, limit in ((first, _may_be_larger), (second, _may_be_smaller)):
            falling = evidence.sample(FALLING, arm)
            if falling.any():
                claimed = limit(claimed)
                remarks.append(
                    f"{int(falling.sum())} of {len(falling)} runs of {arm} were still improving"
                )
        samples = (without_failed(evidence, EPOCHS, arm) for arm in (first, second))
        found = judged(says, _ratio(*samples), claimed, self.unit)
        return replace(found, remark="; ".join(remarks)) if remarks else found

    def notes(self, evidence: Evidence) -> dict[str, dict[str, float]]:
        """Return, for each arm, the number of failed runs and the means over the others."""
        return {
            arm: {"failed_runs": float(len(_failed(evidence, arm)))}
            | {
                metric: float(values.mean())
                for metric in NOTED
                if len(values := without_failed(evidence, metric, arm))
            }
            for arm in self.arms
        }

    def failures(self, evidence: Evidence) -> str:
        """Return a clause with the failure rate of each arm."""
        rates = [
            f"{len(_failed(evidence, arm))} of {len(evidence.runs[arm])} runs of {arm}"
            for arm in self.arms
        ]
        return f"failed and left out: {', '.join(rates)}"


@dataclass(frozen=True, kw_only=True)
class SoonerAndAsGood(Passes):
    """An arm needs several times fewer epochs than the base, and its error is as small.

    Both lead together: epochs to a larger error would say nothing.

    Args:
        base: the arm that needs many epochs.
        arm: the arm that the claim is about.
        sooner: arms for which only the number of epochs is claimed.
        at_least: the claimed ratio of epochs, base over arm.
        refuted_below: refuted only if the interval of that ratio lies below this.
        worse_by: the largest ratio of errors, arm over base, that still counts as equally small.
    """

    base: str
    arm: str
    sooner: tuple[str, ...] = ()
    at_least: float
    refuted_below: float
    worse_by: float

    def __post_init__(self) -> None:
        if not 1 <= self.refuted_below <= self.at_least:
            raise ValueError("refuted_below: must be between 1 and at_least")
        if self.worse_by < 1:
            raise ValueError(f"worse_by={self.worse_by}: must be at least 1")
        super().__post_init__()

    @property
    def judged_arms(self) -> tuple[str, ...]:
        """The base and the arms."""
        return self.base, self.arm, *self.sooner

    def judge(self, evidence: Evidence) -> Findings:
        """Judge epochs and error of the arm together, then the epochs of each arm."""
        sooner = [self._sooner(evidence, arm) for arm in (self.arm, *self.sooner)]
        return Findings(
            all_of(f"{self.arm} is faster and as good", [sooner[0], self._as_good(evidence)]),
            sooner,
            notes=self.notes(evidence),
            remark=self.failures(evidence),
        )

    def _sooner(self, evidence: Evidence, arm: str) -> Condition:
        says = f"{arm} needs at least {self.at_least:g} times fewer epochs than {self.base}"
        claimed = Claimed(low=self.refuted_below, floor=self.at_least, null=1.0)
        return self.epochs(says, evidence, self.base, arm, claimed)

    def _as_good(self, evidence: Evidence) -> Condition:
        says = f"the error of {self.arm} is at most {self.worse_by:g} times that of {self.base}"
        claimed = Claimed(high=self.worse_by, ceiling=self.worse_by)
        return _errors(says, evidence, self.arm, self.base, claimed)


@dataclass(frozen=True, kw_only=True)
class OrderAndClosest(Passes):
    """Every arm needs fewer epochs than the next, and one of them has the smallest error.

    The whole order leads; the smallest error is a side condition.

    Args:
        ordered: the arms, from the fewest epochs to the most.
        closest: the arm with the smallest error.
    """

    ordered: tuple[str, ...]
    closest: str

    def __post_init__(self) -> None:
        if len(self.ordered) < 2 or self.closest not in self.ordered:
            raise ValueError(f"closest={self.closest}: must be one of two or more ordered arms")
        super().__post_init__()

    @property
    def judged_arms(self) -> tuple[str, ...]:
        """The arms in their order."""
        return self.ordered

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """All neighbours."""
        return list(pairwise(self.ordered))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the epochs of all neighbours, then the errors."""
        fewer = [
            self.epochs(f"{a} needs fewer epochs than {b}", evidence, a, b, below(null=1.0))
            for a, b in self.pairs
        ]
        closest = [
            _errors(
                f"the error of {self.closest} is smaller than that of {other}",
                evidence,
                self.closest,
                other,
                below(null=1.0),
            )
            for other in self.ordered
            if other != self.closest
        ]
        return Findings(
            all_of("the arms need epochs in the claimed order", fewer),
            closest,
            notes=self.notes(evidence),
            remark=self.failures(evidence),
        )


def _may_be_larger(claimed: Claimed) -> Claimed:
    """Return what remains of a claim if the quantity may be larger than measured."""
    ceiling = inf if claimed.ceiling == inf else -inf
    return replace(claimed, low=-inf, ceiling=ceiling, null=None)


def _may_be_smaller(claimed: Claimed) -> Claimed:
    """Return what remains of a claim if the quantity may be smaller than measured."""
    floor = -inf if claimed.floor == -inf else inf
    return replace(claimed, high=inf, floor=floor, null=None)


def _errors(says: str, evidence: Evidence, first: str, second: str, claimed: Claimed) -> Condition:
    """Return a condition on the ratio of the first arm's error to the second's."""
    samples = (without_failed(evidence, ERROR, arm) for arm in (first, second))
    return judged(says, _ratio(*samples), claimed, "ratio of errors")


def _ratio(first: Values, second: Values) -> Estimate:
    """Return the ratio of geometric means."""
    return geometric(difference(np.log(first), np.log(second)))


def without_failed(evidence: Evidence, metric: str, arm: str) -> Values:
    """Return a metric of an arm over the runs that did not fail."""
    failed = _failed(evidence, arm)
    values = evidence.values(metric, arm)
    return np.array([value for seed, value in values.items() if seed not in failed])


def _failed(evidence: Evidence, arm: str) -> set[int]:
    """Return the seeds whose run failed, including those without a result."""
    said = evidence.values(FAILED, arm)
    return {seed for seed in evidence.runs[arm] if said.get(seed, 1.0)}
