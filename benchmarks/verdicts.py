"""How often verdicts are wrong, in worlds whose truth is known.

Every cell judges claims with the functions behind `moebench.verdict.judge`, like a reproduction.
The spread of a difference is given in margins; a cell shows the worst rate over all spreads.

    python -m benchmarks.verdicts --claims 2000 --save
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.command import one_line, parser, whole_number
from benchmarks.rates import Rates, explained, publish
from benchmarks.timing import save
from benchmarks.worlds import (
    MARGIN,
    SPREADS,
    WORLDS,
    World,
    Worlds,
    differing,
    generator,
    weighed,
)
from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.report.tables import table
from moebench.statistics.estimates import mean, ratio
from moebench.testing.verdicts import claim_of
from moebench.verdict.comparisons import Difference, Equivalence, Order
from moebench.verdict.front import Front
from moebench.verdict.outcome import label_for
from moebench.verdict.paired_runs import Evidence

SEEDS = (3, 5, 10, 25)


@dataclass(frozen=True)
class Error:
    """A kind of error: a test, the worlds it is run in, and the labels that are wrong there."""

    test: ClaimTest
    worlds: Worlds
    wrong: Sequence[VerdictLabel]


BORNE_OUT, REFUTED = (VerdictLabel.REPRODUCED, VerdictLabel.PARTIAL), (VerdictLabel.NOT_REPRODUCED,)
BETTER = Difference(first="a", second="b", margin=MARGIN)
SAME = Equivalence(first="a", second="b", margin=MARGIN)
IN_ORDER = Order(ordered=("a", "b", "c", "d"), margin=MARGIN)
LED = Order(ordered=("a", "b", "c", "d"), lead=("a", "b"), margin=MARGIN)
FRONT = Front(weighted=("w0", "w1", "w2", "w3", "w4"), imbalance="valid/loss", margin=MARGIN / 2)
CLAIM = claim_of(BETTER)  # the label only depends on its not being a control
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
    """Return how often one kind of error occurs."""
    error = ERRORS[kind]
    rng = generator(kind, world, n, spread)
    made = error.worlds(WORLDS[world], rng, claims, n, spread)
    return sum(word(error.test, one) in error.wrong for one in made) / claims


def word(test: ClaimTest, world: World) -> VerdictLabel:
    """Return the word on a claim, by the functions of `judge` that lead to it.

    `judge` also writes the sentence and the costs, which takes ten times as long.
    """
    findings = test.judge(cast("Evidence", world))
    return label_for(CLAIM, findings, findings.p)  # Holm's rule changes no p of one claim alone


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


@one_line
def main() -> None:
    """Simulate, print, and append to results.jsonl."""
    made = parser("benchmarks.verdicts", __doc__.splitlines()[0])
    made.add_argument("--claims", type=whole_number(), default=2000, help="simulated in a cell")
    made.add_argument(
        "--save", action="store_true", help="append to results.jsonl and fill in the table"
    )
    options = made.parse_args()
    print(explained(options.claims))
    rows: dict[str, Rates] = {}
    for world in WORLDS:
        by_seeds = {n: worst(world, options.claims, n) for n in SEEDS}
        cells = [
            (kind, *(f"{by_seeds[n][kind]:.1%}" for n in SEEDS)) for kind in by_seeds[SEEDS[0]]
        ]
        print("\n".join(table((world, *(f"n = {n}" for n in SEEDS)), cells, "lrrrr")), flush=True)
        rows |= {f"{world}, n = {n}": rates for n, rates in by_seeds.items()}
    if options.save:
        save("verdicts", vars(options), rows)
        publish()


if __name__ == "__main__":
    main()
