"""Tests for claims about the range of a metric in single arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import NamedTuple

from moebench.statistics import Values
from moebench.statistics.estimates import share
from moebench.verdict.claimed import Claimed, above, below, within
from moebench.verdict.conditions import Condition, judged, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.ratios import limit
from reproductions.jacobs_1991.at_steps import AtSteps, as_whole, check, chosen, combined, system
from reproductions.jacobs_1991.trials import Rule


class Bound(NamedTuple):
    """The claimed range of an arm's mean."""

    arm: str
    low: float = -inf
    high: float = inf


@dataclass(frozen=True, kw_only=True)
class OfArms(AtSteps):
    """The base class of tests on one quantity of single arms.

    Args:
        quantity: a metric that runs have at every step size; any metric if `rules` is empty.
    """

    quantity: str

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: no arm is compared with another."""
        return []

    @property
    def places(self) -> tuple[Rule | None, ...]:
        """The rules; None for runs without step sizes."""
        return self.rules or (None,)

    def values(self, evidence: Evidence, arm: str, rule: Rule | None) -> Values:
        """Return the quantity of all judged runs of an arm."""
        if rule is None:
            return evidence.sample(self.quantity, arm)
        return self.of(evidence).everything(arm, rule, self.quantity)


def in_words(bound: Bound) -> str:
    """Return a bound as a clause."""
    if bound.low == -inf:
        return f"below {bound.high:g}"
    return f"above {bound.low:g}" if bound.high == inf else f"{bound.low:g} to {bound.high:g}"


def claimed(bound: Bound, margin: float = 0.0) -> Claimed:
    """Return what a bound claims of a mean; with a margin, to be that far inside the bound."""
    if bound.low > -inf and bound.high < inf:
        return within(bound.low, bound.high)
    if bound.low > -inf:
        return above(margin, null=bound.low) if margin else limit(bound.low, above=True)
    return below(margin, null=bound.high) if margin else limit(bound.high, above=False)


@dataclass(frozen=True, kw_only=True)
class WithinBounds(OfArms):
    """The mean of a quantity lies within the bounds of each arm.

    With a margin it must be that far inside a single bound.

    Args:
        under: choice -> the bounds that the claim is about, all of which must hold.
        sides: further bounds, judged as side conditions.
    """

    under: Mapping[str, tuple[Bound, ...]]
    sides: tuple[Bound, ...] = ()

    def __post_init__(self) -> None:
        check(self.under, "a bound")
        for bound in self._bounds:
            if not bound.low < bound.high or (bound.low, bound.high) == (-inf, inf):
                raise ValueError(f"{bound}: needs a bound, and low must be below high")
        super().__post_init__()

    @property
    def _bounds(self) -> list[Bound]:
        return [*chain(*self.under.values()), *self.sides]

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, each once."""
        return tuple(dict.fromkeys(bound.arm for bound in self._bounds))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the bounds under every choice, then the side bounds."""
        told = [f"{system(one.arm)} {in_words(one)}" for one in chain(*self.under.values())]
        says = f"{self.quantity} of {', '.join(dict.fromkeys(told))}"
        choices = {
            chosen(name, rule): combined(
                "bounds", [self._condition(evidence, one, rule) for one in bounds]
            )
            for name, bounds in self.under.items()
            for rule in self.places
        }
        lead, found = as_whole(says, choices)
        sides = [self._condition(evidence, one, rule) for one in self.sides for rule in self.places]
        return Findings(lead, sides, found)

    def _condition(self, evidence: Evidence, bound: Bound, rule: Rule | None) -> Condition:
        """Judge one bound."""
        beyond = f" by {self.margin:g} or more" if self.margin else ""
        says = f"{self.quantity} of {bound.arm} is {in_words(bound)}{beyond}"
        values = self.values(evidence, bound.arm, rule)
        return mean_is(chosen(says, rule), values, claimed(bound, self.margin), self.unit)


@dataclass(frozen=True, kw_only=True)
class ShareOfRuns(OfArms):
    """In at least a given share of each arm's runs a quantity lies in a range, ends included.

    As for every effect, the interval must lie above half of the share that counts.

    Args:
        low: smallest value of the range.
        high: largest value of the range.
        least: the share of runs.
        under: choice -> the arms that the claim is about, all of which must be as claimed.
        sides: further arms, judged as side conditions.
    """

    low: float
    high: float = inf
    least: float
    under: Mapping[str, tuple[str, ...]]
    sides: tuple[str, ...] = ()
    unit: str = "share of runs"

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            raise ValueError(f"least={self.least}: must be above 0 and at most 1")
        if not self.low <= self.high:
            raise ValueError(f"low={self.low}, high={self.high}: not a range")
        check(self.under, "an arm")
        super().__post_init__()

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, each once."""
        return tuple(dict.fromkeys([*chain(*self.under.values()), *self.sides]))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the share of runs under every choice, then in the other arms."""
        much = f"at least {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"
        says = f"{self.quantity} is {much} in at least {self.least:.0%} of runs"
        choices = {
            chosen(name, rule): combined(
                "arms", [self._condition(evidence, arm, arm, rule) for arm in arms]
            )
            for name, arms in self.under.items()
            for rule in self.places
        }
        lead, found = as_whole(says, choices)
        sides = [
            self._condition(evidence, chosen(f"{says} of {arm}", rule), arm, rule)
            for arm in self.sides
            for rule in self.places
        ]
        return Findings(lead, sides, found)

    def _condition(self, evidence: Evidence, says: str, arm: str, rule: Rule | None) -> Condition:
        """Judge the share of one arm."""
        values = self.values(evidence, arm, rule)
        if not len(values):
            return unknown(says, self.unit, "no runs")
        seen = int(((values >= self.low) & (values <= self.high)).sum())
        return judged(says, share(seen, len(values)), above(self.least), self.unit)
