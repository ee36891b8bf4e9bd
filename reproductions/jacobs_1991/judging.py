"""Tests of claims about training to a criterion: systems with seeds of their own, not paired.

A claim is judged under every choice that the paper leaves open, such as the coding of the targets
or the step size; under one choice all its pairs of systems, or all its arms, must be as claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from moebench.claims import ClaimTest, Direction
from reproductions.jacobs_1991.arms import GRID, TRIALS
from reproductions.jacobs_1991.trials import BEST, Rule


class Pair(NamedTuple):
    """Two arms that are compared."""

    first: str  # of which the claim is made
    second: str
    margin: float | None = None  # the smallest effect that would count; None: that of the test


class Bound(NamedTuple):
    """Where the mean of an arm is claimed to lie."""

    arm: str
    low: float = -inf
    high: float = inf


@dataclass(frozen=True, kw_only=True)
class AtSteps(ClaimTest):
    """What tests have in common whose runs were made with a grid of step sizes.

    Args:
        rules: at which steps systems are compared, each a choice that the paper leaves open: a size
            for all of them, or "best", each at its own. (): the runs have no step sizes.
        grid: the step sizes of a run.
        trials: so many seeds of an arm, the last ones, choose its best step and are not judged.
    """

    rules: tuple[Rule, ...] = (BEST,)
    grid: tuple[float, ...] = GRID
    trials: int = TRIALS


@dataclass(frozen=True, kw_only=True)
class Compared(AtSteps):
    """What tests have in common that compare pairs of systems.

    Args:
        under: choice -> the pairs that are compared, all of which must be as claimed.
    """

    under: Mapping[str, tuple[Pair, ...]]


@dataclass(frozen=True, kw_only=True)
class FewerEpochs(Compared):
    """The first of each pair needs fewer epochs to the criterion than the second.

    Runs that never get there are left out of the means, and counted.

    Args:
        factor: at most so many times as many; 1 where any number fewer would count.
    """

    factor: float = 1.0
    unit: str = "ratio of epochs"


@dataclass(frozen=True, kw_only=True)
class TwoMeans(Compared):
    """The mean of a quantity is higher (or lower) in the first of each pair, by its margin.

    Runs that never got to the criterion count here.

    Args:
        quantity: a metric that runs have at every step.
        direction: of the first against the second.
    """

    quantity: str
    direction: Direction = "higher"


@dataclass(frozen=True, kw_only=True)
class OnItsSide(AtSteps):
    """The mean of a quantity lies within the bounds of each arm.

    With a margin it must lie beyond the bound by so much.

    Args:
        quantity: a metric; with `rules`, one that runs have at every step.
        under: choice -> the bounds that the claim is about, all of which must hold.
        sides: bounds that it names besides.
    """

    quantity: str
    under: Mapping[str, tuple[Bound, ...]]
    sides: tuple[Bound, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LowerAndWithin(ClaimTest):
    """The first arm has a lower metric than the second, by the margin; and one below a limit.

    That it is lower leads: a limit kept by both would say nothing of the first. The arms share no
    seeds.

    Args:
        first: the arm of which this is claimed.
        second: the other.
        within: the limit.
    """

    first: str
    second: str
    within: float
