"""The claims of Mixtral, judged in worlds made for them."""

from collections.abc import Sequence

import numpy as np
import pytest

from moebench.claims import Word
from moebench.records import RunRecord
from moebench.testing.claims import run, verdict_of
from moebench.verdict import judge
from reproductions.mixtral_2024.arithmetic import size, wins
from reproductions.mixtral_2024.judging import NeighboursTogether
from reproductions.mixtral_2024.paper import CLAIMS, MIXTRAL, NULL, SAME_PARAMETERS
from reproductions.mixtral_2024.published import TABLE_2
from reproductions.mixtral_2024.tables import tables

CLAIM = {claim.key: claim for claim in CLAIMS}
NOTHING = (0.02, 0.04, 0.05, 0.06)  # what attention alone brings neighbours together


def runs(arm: str = MIXTRAL, noise: float = 0.001, **layers: Sequence[float]) -> list[RunRecord]:
    """Five runs whose metrics lie around the values given for each layer."""
    means = {
        f"analysis/{layer}/{name}": value
        for name, values in layers.items()
        for layer, value in enumerate(values)
    }
    rng = np.random.default_rng(0)
    return [
        run(
            arm,
            seed,
            metrics={k: mean + noise * rng.standard_normal() for k, mean in means.items()},
        )
        for seed in range(5)
    ]


def neighbours(arm: str, gain: Sequence[float]) -> list[RunRecord]:
    """Runs in which the order of the text adds something to what is there without it."""
    ordered = np.add(NOTHING, gain)
    return runs(arm, repeats_excess=ordered, repeats_disordered=NOTHING)


@pytest.mark.parametrize(
    ("gain", "word"),
    [
        ((0.005, 0.02, 0.08, 0.06), Word.REPRODUCED),
        ((0.04, 0.02, 0.08, 0.06), Word.PARTIAL),  # in the first layer, too
        ((0.005, 0.01, 0.03, 0.01), Word.NOT_REPRODUCED),  # there, by less than five points
        ((0.0, -0.01, -0.02, -0.01), Word.NOT_REPRODUCED),
        ((0.0, 0.0, 0.0, 0.0), Word.NOT_REPRODUCED),  # chance alone is far exceeded
    ],
)
def test_neighbours_together(gain: Sequence[float], word: Word) -> None:
    found = verdict_of(CLAIM["MX24-03"], neighbours(MIXTRAL, gain))
    assert found.verdict is word
    assert found.effect == pytest.approx(100 * max(gain[1:]), abs=0.2)
    assert found.unit == "percentage points"


def test_an_order_that_does_too_little_is_said_to_be_there() -> None:
    assert (
        "too small to count"
        in verdict_of(CLAIM["MX24-03"], neighbours(MIXTRAL, (0, 0.01, 0.03, 0))).why
    )


def test_the_layer_that_was_picked_pays_for_it() -> None:
    """The p of the best of three layers is three times its own."""
    test = NeighboursTogether(
        arm="a", metric="more", disordered="less", margin=0.0, first_within=2.0
    )
    gains = np.array([[0, 0, 0], [1, 2, 3], [-1, 0, 1], [-1, 0, 1]]) / 100
    records = [
        run(
            "a",
            seed,
            metrics={f"analysis/{layer}/more": gains[layer, seed] for layer in range(4)}
            | {f"analysis/{layer}/less": 0.0 for layer in range(4)},
        )
        for seed in range(3)
    ]
    found = verdict_of(test, records)
    t = 2 / (1 / 3**0.5)  # mean 2, standard deviation 1: a t of two degrees of freedom
    assert found.conditions[0]["p"] == pytest.approx(3 * (1 - t / (2 + t * t) ** 0.5))
    assert found.verdict is Word.INCONCLUSIVE  # alone it would be at 0.07, too


@pytest.mark.parametrize(
    ("gain", "control", "word"),
    [
        ((0.0, 0.0, 0.0, 0.0), Word.PASSED, Word.REPRODUCED),
        ((0.0, 0.0, 0.09, 0.0), Word.FAILED, Word.INCONCLUSIVE),
    ],
)
def test_the_null_world_binds(gain: Sequence[float], control: Word, word: Word) -> None:
    records = [*neighbours(MIXTRAL, (0.005, 0.02, 0.08, 0.06)), *neighbours(NULL, gain)]
    pair = [CLAIM["MX24-03"], CLAIM["MX24-03n"]]
    assert [one.verdict for one in judge(pair, records, "full")] == [word, control]


@pytest.mark.parametrize(
    ("domain", "token", "word"),
    [
        ((0.01, 0.02, 0.03, 0.02), (0.3, 0.2, 0.1, 0.1), Word.REPRODUCED),
        ((0.01, 0.02, 0.09, 0.02), (0.3, 0.2, 0.1, 0.1), Word.NOT_REPRODUCED),
        ((0.01, 0.02, 0.03, 0.02), (0.1, 0.1, 0.1, 0.1), Word.PARTIAL),
    ],
)
def test_domain(domain: Sequence[float], token: Sequence[float], word: Word) -> None:
    assert verdict_of(CLAIM["MX24-02d"], runs(domain_nmi=domain, token_nmi=token)).verdict is word


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ((0.9, 0.5, 0.6, 0.9), Word.REPRODUCED),
        ((0.9, 0.5, 0.6, 0.5), Word.PARTIAL),  # less in the last layer than between
        ((0.9, 0.5, 0.05, 0.9), Word.NOT_REPRODUCED),
    ],
)
def test_token_over_domain(token: Sequence[float], word: Word) -> None:
    records = runs(token_information=token, domain_given_token=(0.01, 0.05, 0.1, 0.1))
    assert verdict_of(CLAIM["MX24-05"], records).verdict is word


@pytest.mark.parametrize(
    ("loss", "word"),
    [(3.0, Word.REPRODUCED), (3.11, Word.REPRODUCED), (3.2, Word.NOT_REPRODUCED)],
)
def test_no_worse_than_a_dense_model_of_all_parameters(loss: float, word: Word) -> None:
    noise = np.random.default_rng(1).standard_normal((5, 2)) * 0.002
    records = [
        run(arm, seed, mean + noise[seed, place])
        for place, (arm, mean) in enumerate(((MIXTRAL, loss), (SAME_PARAMETERS, 3.1)))
        for seed in range(5)
    ]
    assert verdict_of(CLAIM["MX24-08"], records).verdict is word


@pytest.mark.parametrize("key", ["MX24-02d", "MX24-03", "MX24-05"])
@pytest.mark.parametrize("layers", [{}, {"repeats_excess": (0.1,), "token_nmi": (0.1,)}])
def test_a_run_that_was_not_looked_at_decides_nothing(
    key: str, layers: dict[str, Sequence[float]]
) -> None:
    assert verdict_of(CLAIM[key], runs(**layers)).verdict is Word.INCONCLUSIVE


def test_wins_are_counted_from_all_scores() -> None:
    assert len(TABLE_2) == 12
    assert wins() == {"wins": 9, "benchmarks": 12}
    found = verdict_of(CLAIM["MX24-06"], [run("wins", metrics=wins())])
    assert found.verdict is Word.NOT_REPRODUCED
    assert found.effect == 9
    all_won = {"wins": 12.0, "benchmarks": 12.0}
    assert verdict_of(CLAIM["MX24-06"], [run("wins", metrics=all_won)]).verdict is Word.REPRODUCED


def test_the_parameters_are_every_matrix_and_norm_added_up_by_hand() -> None:
    """Table 1; the text says 47B and 13B."""
    expert = 3 * 4096 * 14336
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 8 * 4096 + 2 * 4096
    outside = 2 * 32000 * 4096 + 4096
    found = size()
    assert found == {
        "parameters": outside + 32 * (layer + 8 * expert),
        "active parameters": outside + 32 * (layer + 2 * expert),
    }
    assert verdict_of(CLAIM["MX24-01"], [run("size", metrics=found)]).verdict is Word.REPRODUCED


@pytest.mark.parametrize(
    ("active", "word"), [(12.9e9, Word.REPRODUCED), (14.1e9, Word.NOT_REPRODUCED)]
)
def test_a_fifth_of_the_rivals_parameters(active: float, word: Word) -> None:
    size = {"parameters": 46.7e9, "active parameters": active}
    assert verdict_of(CLAIM["MX24-06a"], [run("size", metrics=size)]).verdict is word


def test_the_table_stands_beside_the_papers() -> None:
    layers = {
        "repeats": (0.2, 0.3),
        "repeats_excess": (0.01, 0.08),
        "repeats_disordered": (0.01, 0.05),
        "overlap": (0.5, 0.6),
        "overlap_excess": (0.02, 0.09),
        "overlap_disordered": (0.02, 0.06),
    }
    [table] = tables(runs(noise=0.0, **layers))
    assert all(len(row) == len(table.head) for row in table.rows)
    assert table.rows[0] == [
        "Mixtral 8x7B",
        "first choice",
        "0",
        "13.6 to 14.9",
        "12.5",
        "+1.1 to +2.4",
        "–",
    ]
    ours = [MIXTRAL, "first choice", "1", "30.0 ± 0.0", "22.0", "+8.0 ± 0.0", "+5.0 ± 0.0"]
    assert ours in table.rows
