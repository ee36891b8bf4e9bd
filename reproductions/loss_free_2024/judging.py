"""Tests that only this paper uses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.verdict.claimed import Claimed, above
from moebench.verdict.comparisons import compared, equal
from moebench.verdict.conditions import Condition, all_of, any_of, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class NoWeightMatches(ClaimTest):
    """Whatever the weight of the balance loss, it costs more loss or leaves far more imbalance.

    Args:
        free: the arm without a balance loss.
        weighted: the arms with one.
        imbalance: the metric that measures imbalance.
        factor: how many times the imbalance of `free` is far more.
        printed: the weighted arm that the paper compares with. A side condition asks that `free`
            has a lower loss: it might lead by its balance alone. Empty: not asked.
    """

    free: str
    weighted: tuple[str, ...]
    imbalance: str
    factor: float
    printed: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return self.free, *self.weighted

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every weight; all lead together."""
        found = []
        for arm in self.weighted:
            costs = compared(self, evidence, self.free, arm, "lower")
            a, b = evidence.paired(self.imbalance, self.free, arm)
            says = f"{arm} has more than {self.factor:g} times the {self.imbalance} of {self.free}"
            uneven = mean_is(says, b - self.factor * a, above(), self.imbalance)
            found.append(any_of(f"{arm} does not match {self.free}", [costs, uneven]))
        notes = evidence.means((self.imbalance,), self.arms)
        lead = all_of(f"no weight matches {self.free} in both", found)
        lower = [compared(self, evidence, self.free, self.printed, "lower")] if self.printed else []
        return Findings(lead, lower, notes=notes)


@dataclass(frozen=True, kw_only=True)
class RightRate(ClaimTest):
    """Of three rates the lowest balances worst early, the highest worst late, the middle one best.

    A rate means little without the number of steps and the spread of the scores, so it is judged
    for several threes, of which one is enough; the p counts them all. They cannot all show the
    pattern, as the middle rate of one is the highest or lowest of another. `metric` is that of the
    end.

    Args:
        rates: name of a three -> arms with the low, the middle and the high rate.
        early: the metric early in training.
    """

    rates: Mapping[str, tuple[str, str, str]]
    early: str

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, each once."""
        return tuple(dict.fromkeys(arm for three in self.rates.values() for arm in three))

    def judge(self, evidence: Evidence) -> Findings:
        """Judge each three."""
        found = [self._pattern(evidence, name, *three) for name, three in self.rates.items()]
        lead = any_of("the middle of some three rates is right", found)
        return Findings(lead, notes=evidence.means((self.early,), self.arms))

    def _pattern(
        self, evidence: Evidence, name: str, low: str, middle: str, high: str
    ) -> Condition:
        """Return the condition that one three shows the pattern."""
        early = replace(self, metric=self.early)
        found = [
            compared(early, evidence, low, middle, "higher"),
            compared(self, evidence, high, middle, "higher"),
            compared(self, evidence, low, middle, "higher"),
        ]
        return all_of(f"{name}: {middle} is right", found)


@dataclass(frozen=True, kw_only=True)
class EvenerNotBetter(ClaimTest):
    """Arms are more evenly balanced than another one, and no better in their loss.

    Args:
        firsts: rate -> arm; a choice that the claim leaves open.
        second: the arm that they are compared with.
        loss: the metric that does not get lower.
        loss_margin: by how much it would have to.
    """

    firsts: Mapping[str, str]
    second: str
    loss: str
    loss_margin: float

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm compared with, then the others."""
        return self.second, *self.firsts.values()

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the balance under every rate, then every loss."""
        found = [
            replace(compared(self, evidence, arm, self.second, "lower"), choice=rate)
            for rate, arm in self.firsts.items()
        ]
        lead, choices = under_choices(f"balance is more even than that of {self.second}", found)
        sides = []
        for arm in self.firsts.values():
            a, b = evidence.paired(self.loss, arm, self.second)
            says = f"{arm} is not better than {self.second} by {self.loss_margin:g} nats"
            claimed = Claimed(low=-self.loss_margin, floor=-self.loss_margin)
            sides.append(mean_is(says, a - b, claimed, "nats"))
        return Findings(lead, [all_of("no loss is lower", sides)], choices)


@dataclass(frozen=True, kw_only=True)
class LowerThanAll(ClaimTest):
    """An arm has a lower metric than each of several others.

    Args:
        first: the arm.
        others: those it is compared with; all lead together.
    """

    first: str
    others: tuple[str, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm, then the others."""
        return self.first, *self.others

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every difference."""
        found = [compared(self, evidence, self.first, other, "lower") for other in self.others]
        return Findings(all_of(f"{self.first} has the lowest {self.metric}", found))


@dataclass(frozen=True, kw_only=True)
class ScopeMatters(ClaimTest):
    """The narrow scope has a higher metric than both wide ones, which are alike.

    Args:
        narrow: the arm balanced within sequences.
        wide: the two arms balanced over batches; that they are alike is a side condition.
    """

    narrow: str
    wide: tuple[str, str]

    @property
    def arms(self) -> tuple[str, ...]:
        """All three."""
        return self.narrow, *self.wide

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the narrow scope against both, then both against each other."""
        worse = [compared(self, evidence, self.narrow, arm, "higher") for arm in self.wide]
        says = f"{self.narrow} is worse than both wide scopes"
        return Findings(all_of(says, worse), [equal(self, evidence, *self.wide)])


@dataclass(frozen=True, kw_only=True)
class MoreByDomain(ClaimTest):
    """An arm's experts follow domains more than those of others, as a mean over the layers.

    Args:
        first: the arm.
        others: those it is compared with; all lead together.
        layers: number of layers; `metric` is the name within one.
    """

    first: str
    others: tuple[str, ...]
    layers: int

    @property
    def arms(self) -> tuple[str, ...]:
        """The arm, then the others."""
        return self.first, *self.others

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every difference of means."""
        names = [f"analysis/{layer}/{self.metric}" for layer in range(self.layers)]
        found = []
        for other in self.others:
            pairs = [evidence.paired(name, self.first, other) for name in names]
            gains = np.mean([a - b for a, b in pairs], axis=0)
            says = f"experts of {self.first} follow domains more than those of {other}"
            found.append(mean_is(says, gains, above(self.margin), self.unit))
        return Findings(all_of(f"{self.first} follows domains most", found))


@dataclass(frozen=True, kw_only=True)
class NoJump(ClaimTest):
    """A change late in training raises neither imbalance nor loss by their margins.

    Args:
        first: the arm with the change.
        second: the arm without it.
        loss_margin: the smallest rise of `valid/loss` that would count.
    """

    first: str
    second: str
    loss_margin: float

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return self.first, self.second

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the imbalance, then the loss."""
        found = []
        for name, margin, unit in (
            (self.metric, self.margin, self.unit),
            ("valid/loss", self.loss_margin, "nats"),
        ):
            a, b = evidence.paired(name, *self.arms)
            says = f"{name} of {self.first} is above that of {self.second} by less than {margin:g}"
            found.append(mean_is(says, a - b, Claimed(high=margin, ceiling=margin), unit))
        return Findings(found[0], found[1:])
