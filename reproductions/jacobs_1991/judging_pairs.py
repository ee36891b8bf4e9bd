"""Tests for claims that compare two systems; their seeds are independent, so nothing is paired."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from moebench.papers.claim import Direction
from moebench.statistics import Values
from moebench.statistics.estimates import difference, ratio, spreads
from moebench.verdict.claimed import above, below, times
from moebench.verdict.conditions import Condition, judged
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from reproductions.jacobs_1991.arms import SAME
from reproductions.jacobs_1991.at_steps import AtSteps, as_whole, check, chosen, combined, system
from reproductions.jacobs_1991.trials import Rule, Trials, apart, named

EPOCHS = f"step_{SAME:g}/epochs"  # printed for every arm; tests read more


class Pair(NamedTuple):
    """Two arms to compare; an arm is compared with itself in two halves, alternating its runs."""

    first: str  # the arm that the claim is about
    second: str
    margin: float | None = None  # the smallest effect that counts; None: that of the test


@dataclass(frozen=True, kw_only=True)
class Compared(AtSteps):
    """The base class of tests that compare pairs of systems.

    Args:
        under: choice -> the pairs compared, all of which must be as claimed.
        second_at: step size of each pair's second arm, if a control needs a different one.
    """

    under: Mapping[str, tuple[Pair, ...]]
    second_at: float | None = None

    own_margins: ClassVar[bool] = False  # whether pairs may have their own margins

    def __post_init__(self) -> None:
        check(self.under, "a pair")
        if self.second_at not in (None, *self.grid):
            raise ValueError(f"second_at={self.second_at}: not in the grid")
        own = [pair for pair in self._compared if pair.margin is not None]
        if own and not self.own_margins:
            raise ValueError(f"{own[0]}: has a margin, but this test takes none")
        super().__post_init__()

    @property
    def _compared(self) -> list[Pair]:
        return [pair for pairs in self.under.values() for pair in pairs]

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, each once."""
        return tuple(dict.fromkeys(arm for pair in self._compared for arm in pair[:2]))

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The pairs of all choices."""
        return [pair[:2] for pair in self._compared if pair.first != pair.second]

    @property
    @abstractmethod
    def claimed(self) -> str:
        """What is claimed of the first arm of a pair."""

    @abstractmethod
    def values(self, trials: Trials, arm: str, rule: Rule) -> Values:
        """Return the quantity compared, for an arm's judged runs."""

    @abstractmethod
    def compare(self, pair: Pair, first: Values, second: Values) -> Condition:
        """Judge one pair."""

    def judge(self, evidence: Evidence) -> Findings:
        """Judge all pairs under every choice."""
        trials = self.of(evidence)
        choices = {
            self._place(name, rule): combined(
                "pairs", [self._condition(trials, pair, rule) for pair in pairs]
            )
            for name, pairs in self.under.items()
            for rule in self.rules
        }
        lead, found = as_whole(f"{self._systems}: {self.claimed}", choices)
        return Findings(lead, choices=found, notes=self.notes(trials), remark=self.lost(trials))

    def _place(self, name: str, rule: Rule) -> str:
        """Return the name of a choice, including the steps."""
        other = "" if self.second_at is None else f" against {named(self.second_at)}"
        return chosen(name, rule) + other

    @property
    def _systems(self) -> str:
        """The systems of all pairs, each pair once."""
        names = [f"{system(one.first)} against {system(one.second)}" for one in self._compared]
        return ", ".join(dict.fromkeys(names))

    def _condition(self, trials: Trials, pair: Pair, rule: Rule) -> Condition:
        """Judge one pair at one step."""
        other = rule if self.second_at is None else self.second_at
        first = self.values(trials, pair.first, rule)
        second = self.values(trials, pair.second, other)
        itself = pair.first == pair.second and rule == other
        return self.compare(pair, *apart(first, second, itself))


@dataclass(frozen=True, kw_only=True)
class FewerEpochs(Compared):
    """The first of each pair needs fewer epochs to the criterion than the second.

    Runs that never meet it are counted and left out of the means.

    Args:
        factor: the largest ratio of epochs that counts; 1: any reduction.
    """

    factor: float = 1.0
    metric: str = EPOCHS
    unit: str = "ratio of epochs"

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise ValueError(f"factor={self.factor}: must be above 0 and at most 1")
        super().__post_init__()

    @property
    def claimed(self) -> str:
        """What is claimed of the first arm of a pair."""
        much = f"at most {self.factor:g} times as many" if self.factor < 1 else "fewer"
        return f"{much} epochs to the criterion"

    def values(self, trials: Trials, arm: str, rule: Rule) -> Values:
        """Return the epochs of the runs that met the criterion."""
        return trials.sample(arm, rule, "epochs")

    def compare(self, pair: Pair, first: Values, second: Values) -> Condition:
        """Judge the ratio of means."""
        fewer = times(self.factor) if self.factor < 1 else below(null=1.0)
        says = f"{pair.first} against {pair.second}"
        return judged(says, ratio(first, second), fewer, self.unit)


@dataclass(frozen=True, kw_only=True)
class Steadier(Compared):
    """The epochs of the first of each pair vary less between runs than those of the second."""

    metric: str = EPOCHS
    unit: str = "ratio of spreads"

    @property
    def claimed(self) -> str:
        """What is claimed of the first arm of a pair."""
        return "epochs to the criterion vary less"

    def values(self, trials: Trials, arm: str, rule: Rule) -> Values:
        """Return the epochs of the runs that met the criterion."""
        return trials.sample(arm, rule, "epochs")

    def compare(self, pair: Pair, first: Values, second: Values) -> Condition:
        """Judge the ratio of mean distances from the median."""
        says = f"{pair.first} against {pair.second}"
        return judged(says, spreads(first, second), below(null=1.0), self.unit)


@dataclass(frozen=True, kw_only=True)
class TwoMeans(Compared):
    """The mean of a quantity is higher (or lower) in the first of each pair, by its margin.

    Runs that never met the criterion count here.

    Args:
        quantity: a metric that runs have at every step size.
        direction: whether the first is claimed to be lower or higher than the second.
    """

    quantity: str
    direction: Direction = "higher"

    own_margins: ClassVar[bool] = True

    @property
    def claimed(self) -> str:
        """What is claimed of the first arm of a pair."""
        return f"{self.quantity} is {self.direction}{_by(self.margin)}"

    def values(self, trials: Trials, arm: str, rule: Rule) -> Values:
        """Return the quantity of all judged runs."""
        return trials.everything(arm, rule, self.quantity)

    def compare(self, pair: Pair, first: Values, second: Values) -> Condition:
        """Judge the difference of means."""
        margin = self.margin if pair.margin is None else pair.margin
        apart = above(margin) if self.direction == "higher" else below(margin)
        says = f"{pair.first} against {pair.second}{_by(margin)}"
        return judged(says, difference(first, second), apart, self.unit)


def _by(margin: float) -> str:
    """Return a clause on the margin; empty if there is none."""
    return f", by at least {margin:g}" if margin else ""
