"""How often verdicts are wrong, in worlds whose truth is known.

Every cell judges claims by the functions of `moebench.verdict.judge`, as a reproduction does. The
spread of a difference is given in margins; a cell shows the worst share over all spreads. Below the
smallest spread nothing changes any more, nor above the largest.

    python -m benchmarks.verdicts --claims 2000 --save
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, cast

from benchmarks.timing import RESULTS, save
from benchmarks.worlds import MARGIN, WORLDS, World, Worlds, differing, generator, weighed
from moebench.claims import ClaimTest, Word
from moebench.report import fill
from moebench.report.markdown import table
from moebench.statistics.estimates import mean, ratio
from moebench.testing.claims import claim_of
from moebench.verdict.comparisons import Difference, Equivalence, Order
from moebench.verdict.evidence import Evidence
from moebench.verdict.front import Front
from moebench.verdict.outcome import word_for

SEEDS = (3, 5, 10, 25)
SPREADS = (0.25, 1.0, 4.0, 32.0)  # standard deviation of a difference, in margins
BAR = 0.05  # of errors
COVERED = (0.93, 0.97)
PAGE = Path(__file__).parents[1] / "moebench" / "verdict" / "README.md"
Rates = Mapping[str, float]  # kind of error, or of interval -> share


@dataclass(frozen=True)
class Error:
    """A kind of error: a test, the worlds it is put to, and the words that are wrong there."""

    test: ClaimTest
    worlds: Worlds
    wrong: Sequence[Word]


BORNE_OUT, REFUTED = (Word.REPRODUCED, Word.PARTIAL), (Word.NOT_REPRODUCED,)
BETTER = Difference(first="a", second="b", margin=MARGIN)
SAME = Equivalence(first="a", second="b", margin=MARGIN)
IN_ORDER = Order(ordered=("a", "b", "c", "d"), margin=MARGIN)
LED = Order(ordered=("a", "b", "c", "d"), lead=("a", "b"), margin=MARGIN)
FRONT = Front(weighted=("w0", "w1", "w2", "w3", "w4"), imbalance="valid/loss", margin=MARGIN / 2)
CLAIM = claim_of(BETTER)  # of which the word asks no more than that it is no control
ERRORS = {
    "reproduced, no effect": Error(BETTER, differing(0), BORNE_OUT),
    "reproduced, 0.3 margins": Error(BETTER, differing(0.3), BORNE_OUT),
    "not reproduced, at the margin": Error(BETTER, differing(1), REFUTED),
    "the same, two side conditions": Error(LED, differing(1, 1, 1), REFUTED),
    "the same, three as one": Error(IN_ORDER, differing(1, 1, 1), REFUTED),
    "equal, at the margin": Error(SAME, differing(1), BORNE_OUT),
    "equal, minus the margin": Error(SAME, differing(-1), BORNE_OUT),
    "a front without a cost": Error(FRONT, weighed, BORNE_OUT),
}


def share(kind: str, world: str, claims: int, n: int, spread: float) -> float:
    """Return how often one kind of error is made."""
    error = ERRORS[kind]
    rng = generator(kind, world, n, spread)
    made = error.worlds(WORLDS[world], rng, claims, n, spread)
    return sum(word(error.test, one) in error.wrong for one in made) / claims


def word(test: ClaimTest, world: World) -> Word:
    """Return the word on a claim, by the functions of `judge` that lead to it.

    `judge` also writes the sentence and the costs, which takes ten times as long.
    """
    findings = test.judge(cast("Evidence", world))
    return word_for(CLAIM, findings, findings.p)  # Holm's rule changes no p of one claim alone


def coverage(world: str, samples: int, n: int) -> dict[str, float]:
    """Return how often 95% intervals hold the truth: of a mean, and of a ratio of two means."""
    rng, draw = generator("coverage", world, n), WORLDS[world]
    values, above, below = (draw(rng, (samples, n)) for _ in range(3))
    means = [mean(one).ends() for one in values]
    ratios = [ratio(1 + 0.1 * a, 2 + 0.4 * b).ends() for a, b in zip(above, below, strict=True)]
    return {
        "coverage, mean": sum(low <= 0 <= high for low, high in means) / samples,
        "coverage, ratio": sum(low <= 0.5 <= high for low, high in ratios) / samples,
    }


def worst(world: str, claims: int, n: int) -> dict[str, float]:
    """Return every error, the largest over all spreads, and the coverages."""
    found = {
        kind: max(share(kind, world, claims, n, spread) for spread in SPREADS) for kind in ERRORS
    }
    return {**found, **coverage(world, claims, n)}


def missed(kind: str, rate: float) -> bool:
    """Say whether a rate misses its bar."""
    if kind.startswith("coverage"):
        return not COVERED[0] <= rate <= COVERED[1]
    return rate > BAR


def explained(claims: int) -> str:
    """Return what a reader of the table has to know."""
    seen = 1.96 * sqrt(BAR * (1 - BAR) / claims)
    spreads = ", ".join(f"{spread:g}" for spread in SPREADS)
    return (
        f"{claims} claims a cell, in which a true {BAR:.0%} shows as {BAR - seen:.1%} to "
        f"{BAR + seen:.1%}; the worst of the spreads {spreads} margins."
    )


def with_rates(page: str, line: Mapping[str, Any]) -> str:
    """Return the page of the rules with the table of a result line."""
    rates: Mapping[str, Rates] = line["ratios"]
    kinds = list(rates[f"normal, n = {SEEDS[0]}"])
    rows = []
    for kind in kinds:
        cells = [
            " ".join(_shown(kind, rates[f"{world}, n = {n}"][kind]) for n in SEEDS)
            for world in WORLDS
        ]
        rows.append((kind, *cells))
    numbers = ", ".join(map(str, SEEDS))
    lead = f"Shares in percent for n = {numbers}. {explained(line['settings']['claims'])}"
    head = ("wrong", *WORLDS)
    return fill(page, "rates", f"{lead}\n\n{table(head, rows, 'l' + 'r' * len(WORLDS))}")


def _shown(kind: str, rate: float) -> str:
    return f"{'✕' if missed(kind, rate) else ''}{100 * rate:.1f}"


def committed() -> Mapping[str, Any]:
    """Return the last committed result line."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    found: Mapping[str, Any] = [one for one in lines if one["benchmark"] == "verdicts"][-1]
    return found


def main() -> None:
    """Simulate, print, and append to results.jsonl."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=2000, help="simulated in a cell")
    parser.add_argument(
        "--save", action="store_true", help="append to results.jsonl and fill in the table"
    )
    options = parser.parse_args()
    if options.claims < 1:
        parser.error(f"--claims {options.claims}: must be at least 1")
    print(explained(options.claims))
    rows: dict[str, Rates] = {}
    for world in WORLDS:
        by_seeds = {n: worst(world, options.claims, n) for n in SEEDS}
        print(f"{world:32}" + "".join(f"{f'n = {n}':>9}" for n in SEEDS), flush=True)
        for kind in by_seeds[SEEDS[0]]:
            print(f"  {kind:30}" + "".join(f"{by_seeds[n][kind]:9.1%}" for n in SEEDS), flush=True)
        rows |= {f"{world}, n = {n}": rates for n, rates in by_seeds.items()}
    if options.save:
        save("verdicts", vars(options), rows)
        PAGE.write_text(with_rates(PAGE.read_text(), committed()))


if __name__ == "__main__":
    main()
