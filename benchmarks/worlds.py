"""Worlds whose truth is known: losses of arms whose differences are drawn at random.

Normal, Student's t with 3 degrees of freedom, exponential in either direction, or resampled from
the papers' committed records; all with mean zero and variance one.
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

MARGIN = 0.01  # in nats, as in most claims
# Standard deviation of a difference, in margins. Error rates no longer change below the first,
# where the margin is far away, or beyond the last, that of the widest committed records.
SPREADS = (0.25, 1.0, 4.0, 32.0)
BEFORE = 10.0  # any loss

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal values."""
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return values of Student's t with 3 degrees of freedom, scaled to variance one."""
    values: NDArray[np.float64] = rng.standard_t(3, shape) / np.sqrt(3)
    return values


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return exponential values minus their mean: a tail of large values."""
    return rng.exponential(size=shape) - 1


def skewed_back(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the same with a tail of small values."""
    return -skewed(rng, shape)


def losses(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return differences of losses, drawn with replacement from the committed records."""
    return rng.choice(of_losses(), shape)


def compared(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return differences drawn in the same way, of any metric that claims compare."""
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
    """Return the differences between any two arms that a claim compares, in its own metric.

    They include epochs and accuracies, which are skewed or take few values.
    """
    found: dict[object, list[Values]] = {}
    for paper in published():
        records = read(paper.evidence)
        for test in (claim.test for claim in paper.claims if claim.test and not claim.runs_of):
            evidence = Evidence.of(test.arms, records)
            for pair in test.pairs:
                place = (paper.name, test.metric, frozenset(pair))  # each pair of arms counts once
                found.setdefault(place, standard(evidence, test.metric, *pair))
    return np.concatenate([one for some in found.values() for one in some])


def published() -> list[Target]:
    """Return the papers that have committed records."""
    return [paper for paper in targets() if paper.evidence.exists()]


def standard(evidence: Evidence, metric: str, first: str, second: str) -> list[Values]:
    """Return the differences, centred and scaled to variance one.

    None if there are fewer than ten seeds, or if all differences are the same.
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
    """Return the random generator of a cell of the table; no two cells share one."""
    return np.random.default_rng(list(" ".join(map(str, cell)).encode()))


@dataclass(frozen=True)
class World:
    """Simulated losses with the interface that tests need of `Evidence`."""

    losses: Mapping[str, Values]  # arm -> one value per seed

    def paired(self, metric: str, *arms: str) -> list[Values]:
        """Return the losses of these arms."""
        return [self.losses[arm] for arm in arms]

    def means(self, metrics: Iterable[str], arms: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return no figures to print."""
        return {arm: {} for arm in arms}


Worlds = Callable[[Draw, np.random.Generator, int, int, float], Iterator[World]]


def differing(*effects: float) -> Worlds:
    """Return worlds with arms a, b, c ...: each lower than the next by its effect, in margins."""

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
    """Yield fronts without a cost: all weights have the same loss, except for noise."""
    noise = MARGIN * spread / np.sqrt(2) * draw(rng, (claims, 5, n))
    for losses in BEFORE + noise:
        yield World({f"w{i}": of for i, of in enumerate(losses)})
