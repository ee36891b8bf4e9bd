"""Tests for claims about speakers in general: the unit of replication is an order of the speakers.

The first speakers of an order form the training set. Runs of an arm differ only in their initial
weights, so they are averaged, and each order gives one value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.statistics.estimates import paired_ratio
from moebench.verdict.claimed import above, times
from moebench.verdict.conditions import all_of, judged, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from reproductions.jacobs_1991.arms import SAME, TRIALS
from reproductions.jacobs_1991.judging_pairs import EPOCHS
from reproductions.jacobs_1991.trials import Trials, apart


@dataclass(frozen=True, kw_only=True)
class OverOrders(ClaimTest):
    """The base class of tests in which each order of the speakers gives one value.

    Args:
        systems: system -> its arms, one per order, in the same orders for each system.
        step: the step size.
        trials: the number of seeds, the last of each arm, that are not judged.
    """

    systems: Mapping[str, tuple[str, ...]]
    step: float = SAME
    trials: int = TRIALS

    def __post_init__(self) -> None:
        numbers = {len(arms) for arms in self.systems.values()}
        if len(numbers) != 1 or not numbers.pop():
            raise ValueError("systems: each needs one arm per order, in the same orders")
        super().__post_init__()

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return tuple(chain(*self.systems.values()))

    def samples(self, evidence: Evidence, arms: Sequence[str], quantity: str) -> list[Values]:
        """Return a quantity of the runs of each arm that met the criterion."""
        trials = Trials(evidence, (self.step,), self.trials)
        return [trials.sample(arm, self.step, quantity) for arm in arms]


@dataclass(frozen=True, kw_only=True)
class AboveOverOrders(OverOrders):
    """One quantity of a run is larger than another, on average over orders.

    All systems must agree, because the claim is about the speakers.

    Args:
        quantity: the quantity claimed to be larger.
        other: the other quantity.
        beside: arms in further orders, whose gaps are printed but not judged.
    """

    quantity: str
    other: str
    beside: tuple[str, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, including those not judged."""
        return (*super().arms, *self.beside)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: no arm is compared with another."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean gap over orders."""
        conditions, told, beside = [], [], []
        for system, arms in self.systems.items():
            gaps = self._gaps(evidence, arms)
            says = f"{self.quantity} is higher than {self.other} with {system}, step {self.step:g}"
            conditions.append(mean_is(says, gaps, above(self.margin), self.unit))
            told.append(f"in {int((gaps > 0).sum())} of {len(gaps)} orders with {system}")
        for arm in self.beside:
            beside += [f"{gap:+.3g} in {arm}" for gap in self._gaps(evidence, [arm])]
        says = f"{self.quantity} is higher than {self.other} on average over orders"
        remark = f"true {' and '.join(told)}; not judged: {' and '.join(beside)}"
        return Findings(all_of(says, conditions), remark=remark)

    def _gaps(self, evidence: Evidence, arms: Sequence[str]) -> Values:
        """Return the gap of each arm that has runs."""
        higher, lower = (self.samples(evidence, arms, one) for one in (self.quantity, self.other))
        gaps = _means(higher) - _means(lower)
        return gaps[np.isfinite(gaps)]


@dataclass(frozen=True, kw_only=True)
class FewerEpochsOverOrders(OverOrders):
    """The first of two systems needs fewer epochs to the criterion, order by order.

    A single system is compared with itself, in two halves of its runs with each order.

    Args:
        factor: the largest ratio of epochs that counts.
    """

    factor: float
    metric: str = EPOCHS
    unit: str = "ratio of epochs"

    def __post_init__(self) -> None:
        if len(self.systems) not in (1, 2) or not 0 < self.factor < 1:
            raise ValueError("needs one or two systems and a factor between 0 and 1")
        super().__post_init__()

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Both systems, order by order; empty if there is only one."""
        first, *others = self.systems.values()
        return [pair for other in others for pair in zip(first, other, strict=True)]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean ratio over orders."""
        first, *others = self.systems
        second = others[0] if others else "itself"
        a, b = self._epochs(evidence)
        both = np.isfinite(a) & np.isfinite(b)
        says = (
            f"{first} needs at most {self.factor:g} times the epochs of {second}, "
            f"step {self.step:g}"
        )
        found = judged(says, paired_ratio(a[both], b[both]), times(self.factor), self.unit)
        ratios = a[both] / b[both]
        told = (
            f"from {ratios.min():.2f} to {ratios.max():.2f} in single orders" if len(ratios) else ""
        )
        return Findings(found, remark=told)

    def _epochs(self, evidence: Evidence) -> tuple[Values, Values]:
        """Return the mean epochs of both systems, or of both halves of one, order by order."""
        ours, *others = (self.samples(evidence, arms, "epochs") for arms in self.systems.values())
        if others:
            return _means(ours), _means(others[0])
        halves = [apart(sample, sample, itself=True) for sample in ours]
        return _means([first for first, _ in halves]), _means([second for _, second in halves])


def _means(samples: Sequence[Values]) -> Values:
    """Return the mean of each sample; NaN where it is empty."""
    return np.array([sample.mean() if len(sample) else np.nan for sample in samples])
