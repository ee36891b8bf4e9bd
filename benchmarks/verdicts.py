"""How often verdicts are wrong, in worlds whose truth is known.

Every cell judges claims by `moebench.verdict.judge`, as a reproduction does, on runs whose
differences between arms are drawn: normal, Student's t with 3 degrees, exponential to either side,
or resampled from the committed records of the papers. The spread of a difference is given in
margins; a cell shows the worst share over all spreads.

    python -m benchmarks.verdicts --claims 2000 --save
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import save
from moebench.claims import ClaimTest, Word
from moebench.records import read
from moebench.statistics import Values
from moebench.statistics.estimates import mean, ratio
from moebench.testing.claims import runs, verdict_of
from moebench.verdict.comparisons import Difference, Equivalence, Order
from moebench.verdict.front import Front

SEEDS = (3, 5, 10, 25)
SPREADS = (0.25, 0.5, 1.0, 2.0, 4.0)  # standard deviation of a difference, in margins
MARGIN = 0.01
WEIGHTS = 5  # arms of a front
BEFORE = 10.0  # a loss
REPRODUCTIONS = Path(__file__).parents[1] / "reproductions"

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal values."""
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return values of Student's t with 3 degrees of freedom, of variance one."""
    values: NDArray[np.float64] = rng.standard_t(3, shape) / np.sqrt(3)
    return values


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return exponential values less their mean, of variance one: a tail of large ones."""
    return rng.exponential(size=shape) - 1


def skewed_back(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the same with a tail of small ones."""
    return -skewed(rng, shape)


def resampled(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return differences drawn with replacement from those of the committed records."""
    return rng.choice(residuals(), shape)


@cache
def residuals() -> Values:
    """Return differences of losses between two arms of a paper, about their mean, of variance one.

    Every pair of arms that share ten seeds or more gives that many.
    """
    found = []
    for path in sorted(REPRODUCTIONS.glob("*/results.jsonl")):
        losses: dict[str, dict[int, float]] = {}
        for record in read(path):
            if "valid/loss" in record.metrics:
                losses.setdefault(record.arm, {})[record.seed] = record.metrics["valid/loss"]
        arms = [arm for arm in sorted(losses) if len(losses[arm]) >= 10]
        for i, first in enumerate(arms):
            for second in arms[:i]:
                seeds = sorted(set(losses[first]) & set(losses[second]))
                both = np.array([[losses[a][s] for s in seeds] for a in (first, second)])
                gap = both[0] - both[1]
                found.append((gap - gap.mean()) / gap.std())
    return np.concatenate(found)


WORLDS: dict[str, Draw] = {
    "normal": normal,
    "t(3)": heavy,
    "skewed up": skewed,
    "skewed down": skewed_back,
    "resampled": resampled,
}


def words(test: ClaimTest, worlds: Iterator[dict[str, Sequence[float]]]) -> dict[Word, float]:
    """Return the share of every word over simulated worlds."""
    found = [verdict_of(test, runs(**world)).verdict for world in worlds]
    return {word: found.count(word) / len(found) for word in Word}


def differing(
    draw: Draw, rng: np.random.Generator, claims: int, n: int, spread: float, *effects: float
) -> Iterator[dict[str, Sequence[float]]]:
    """Yield worlds of arms a, b, c ...: each lower than the next by its effect, in margins."""
    for _ in range(claims):
        loss, world = np.full(n, BEFORE), {"a": np.full(n, BEFORE)}
        for arm, effect in zip("bcdefgh", effects, strict=False):
            loss = loss + MARGIN * (effect + spread * draw(rng, (n,)))
            world[arm] = loss
        yield {arm: list(values) for arm, values in world.items()}


def weighed(
    draw: Draw, rng: np.random.Generator, claims: int, n: int, spread: float
) -> Iterator[dict[str, Sequence[float]]]:
    """Yield fronts of no cost: all weights have the same loss, but for noise."""
    for _ in range(claims):
        noise = MARGIN * spread / np.sqrt(2) * draw(rng, (WEIGHTS, n))
        yield {f"w{i}": list(BEFORE + row) for i, row in enumerate(noise)}


def errors(draw: Draw, claims: int, n: int, spread: float) -> dict[str, float]:
    """Return every kind of error and its share, in one world."""
    rng = np.random.default_rng([n, int(100 * spread)])
    better = Difference(first="a", second="b", margin=MARGIN)
    same = Equivalence(first="a", second="b", margin=MARGIN)
    ordered = Order(ordered=("a", "b", "c", "d"), lead=("a", "b"), margin=MARGIN)
    jointly = Order(ordered=("a", "b", "c", "d"), margin=MARGIN)
    front = Front(
        weighted=tuple(f"w{i}" for i in range(WEIGHTS)), imbalance="valid/loss", margin=MARGIN / 2
    )
    borne_out = (Word.REPRODUCED, Word.PARTIAL)

    def share(test: ClaimTest, *effects: float, of: Sequence[Word]) -> float:
        found = words(test, differing(draw, rng, claims, n, spread, *effects))
        return sum(found[word] for word in of)

    fronts = words(front, weighed(draw, rng, claims, n, spread))
    return {
        "reproduced, no effect": share(better, 0.0, of=borne_out),
        "reproduced, 0.3 margins": share(better, 0.3, of=borne_out),
        "not reproduced, at the margin": share(better, 1.0, of=[Word.NOT_REPRODUCED]),
        "the same, two side conditions": share(ordered, 1, 1, 1, of=[Word.NOT_REPRODUCED]),
        "the same, three as one": share(jointly, 1, 1, 1, of=[Word.NOT_REPRODUCED]),
        "equal, at the margin": share(same, 1.0, of=borne_out),
        "equal, minus the margin": share(same, -1.0, of=borne_out),
        "a front without a cost": sum(fronts[word] for word in borne_out),
    }


def coverage(draw: Draw, samples: int, n: int) -> dict[str, float]:
    """Return how often 95% intervals hold the truth: of a mean, and of a ratio of two means."""
    rng = np.random.default_rng(n)
    found = {"coverage, mean": 0.0, "coverage, ratio": 0.0}
    for _ in range(samples):
        low, high = mean(draw(rng, (n,))).ends()
        found["coverage, mean"] += (low <= 0 <= high) / samples
        first, second = 1 + 0.1 * draw(rng, (n,)), 2 + 0.4 * draw(rng, (n,))
        low, high = ratio(first, second).ends()
        found["coverage, ratio"] += (low <= 0.5 <= high) / samples
    return found


def worst(world: str, claims: int, n: int) -> dict[str, float]:
    """Return every error, the largest over all spreads, and the coverages."""
    tables = [errors(WORLDS[world], claims, n, spread) for spread in SPREADS]
    found = {kind: max(table[kind] for table in tables) for kind in tables[0]}
    return {**found, **coverage(WORLDS[world], claims, n)}


def main() -> None:
    """Simulate, print, and append to results.jsonl."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=2000, help="simulated in a cell")
    parser.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = parser.parse_args()
    if options.claims < 1:
        parser.error(f"--claims {options.claims}: must be at least 1")
    rows: dict[str, dict[str, float]] = {}
    for world in WORLDS:
        by_seeds = {n: worst(world, options.claims, n) for n in SEEDS}
        print(f"{world:32}" + "".join(f"{f'n = {n}':>9}" for n in SEEDS))
        for kind in by_seeds[SEEDS[0]]:
            print(f"  {kind:30}" + "".join(f"{by_seeds[n][kind]:9.1%}" for n in SEEDS))
        rows |= {f"{world}, n = {n}": table for n, table in by_seeds.items()}
    if options.save:
        save("verdicts", vars(options), rows)


if __name__ == "__main__":
    main()
