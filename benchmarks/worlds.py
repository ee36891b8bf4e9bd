"""Worlds whose truth is known: losses of arms, of which the differences are drawn.

Normal, Student's t with 3 degrees, exponential to either side, or resampled from the committed
records of the papers; all of mean nought and variance one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from moebench.evidence.record_files import read
from moebench.papers import Target, targets
from moebench.statistics import Values, identical
from moebench.verdict.paired_runs import Evidence

MARGIN = 0.01  # in nats, as most claims have it
# Standard deviation of a difference, in margins. Below the first errors stay as they are, as the
# margin is far away; beyond the last, where the widest of the committed records are, too.
SPREADS = (0.25, 1.0, 4.0, 32.0)
BEFORE = 10.0  # a loss

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal values."""
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return values of Student's t with 3 degrees of freedom, of variance one."""
    values: NDArray[np.float64] = rng.standard_t(3, shape) / np.sqrt(3)
    return values


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return exponential values less their mean: a tail of large ones."""
    return rng.exponential(size=shape) - 1


def skewed_back(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the same with a tail of small ones."""
    return -skewed(rng, shape)


def losses(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return differences of losses, drawn with replacement from those of the committed records."""
    return rng.choice(of_losses(), shape)


def compared(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return differences drawn in the same way, of whatever the claims compare."""
    return rng.choice(of_claims(), shape)


@cache
def of_losses() -> Values:
    """Return the differences of losses between any two arms of a paper that share ten seeds."""
    found = []
    for paper in published():
        records = [one for one in read(paper.evidence) if "valid/loss" in one.metrics]
        evidence = Evidence.of(sorted({one.arm for one in records}), records)
        for arms in combinations(evidence.runs, 2):
            found += standard(evidence, "valid/loss", *arms)
    return np.concatenate(found)


@cache
def of_claims() -> Values:
    """Return the differences between any two arms that a claim compares, by its own metric.

    Epochs and shares of right answers are among them, which are skewed or take few values.
    """
    found: dict[object, list[Values]] = {}
    for paper in published():
        records = read(paper.evidence)
        for test in (claim.test for claim in paper.claims if claim.test and not claim.runs_of):
            evidence = Evidence.of(test.arms, records)
            for pair in test.pairs:
                place = (paper.name, test.metric, frozenset(pair))  # each two arms count once
                found.setdefault(place, standard(evidence, test.metric, *pair))
    return np.concatenate([one for some in found.values() for one in some])


def published() -> list[Target]:
    """Return the papers that have committed records."""
    return [paper for paper in targets() if paper.evidence.exists()]


def standard(evidence: Evidence, metric: str, first: str, second: str) -> list[Values]:
    """Return the differences about their mean, of variance one; none of under ten seeds.

    And none that are all the same, which have no variance.
    """
    ours, theirs = evidence.paired(metric, first, second)
    gap = ours - theirs
    return [(gap - gap.mean()) / gap.std()] if len(gap) >= 10 and not identical(gap) else []


WORLDS: dict[str, Draw] = {
    "normal": normal,
    "t(3)": heavy,
    "resampled losses": losses,
    "resampled, any metric": compared,
    "skewed up": skewed,
    "skewed down": skewed_back,
}


def generator(*cell: object) -> np.random.Generator:
    """Return the random numbers of a cell of the table, which no other cell has."""
    return np.random.default_rng(list(" ".join(map(str, cell)).encode()))


@dataclass(frozen=True)
class World:
    """Losses that were drawn, as a test asks for them: what `Evidence` reads from records."""

    losses: Mapping[str, Values]  # arm -> one a seed

    def paired(self, metric: str, *arms: str) -> list[Values]:
        """Return the losses of some arms."""
        return [self.losses[arm] for arm in arms]

    def means(self, metrics: Iterable[str], arms: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return no figures to print beside the arms."""
        return {arm: {} for arm in arms}


Worlds = Callable[[Draw, np.random.Generator, int, int, float], Iterator[World]]


def differing(*effects: float) -> Worlds:
    """Return worlds of arms a, b, c ...: each lower than the next by its effect, in margins."""

    def worlds(
        draw: Draw, rng: np.random.Generator, claims: int, n: int, spread: float
    ) -> Iterator[World]:
        noise = spread * draw(rng, (claims, len(effects), n))
        gaps = MARGIN * (np.array(effects)[:, None] + noise)
        for above in np.cumsum(gaps, axis=1):
            losses = np.vstack([np.full(n, BEFORE), BEFORE + above])
            yield World(dict(zip("abcdefgh", losses, strict=False)))

    return worlds


def weighed(
    draw: Draw, rng: np.random.Generator, claims: int, n: int, spread: float
) -> Iterator[World]:
    """Yield fronts of no cost: all weights have the same loss, but for noise."""
    noise = MARGIN * spread / np.sqrt(2) * draw(rng, (claims, 5, n))
    for losses in BEFORE + noise:
        yield World({f"w{i}": of for i, of in enumerate(losses)})
