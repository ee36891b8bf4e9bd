"""The claims of Mixtral: complete, and judged right in worlds made for them."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from moebench.claims import Word
from moebench.publish import with_tables
from moebench.records import RunRecord
from moebench.statistics import mean_p
from moebench.targets import target
from moebench.verdict import TESTS, Verdict, judge
from reproductions.mixtral_2024.arithmetic import wins
from reproductions.mixtral_2024.paper import CLAIMS, COMPUTED, MIXTRAL, NULL
from reproductions.mixtral_2024.plan import FIRST_SEED, PLAN
from reproductions.mixtral_2024.tables import tables

ROOT = Path(__file__).parents[2]
CLAIM = {claim.key: claim for claim in CLAIMS}
LAYERS = 4


def test_all_six_claims_are_there_with_their_controls_and_rivals() -> None:
    numbered = {f"MX24-{number:02}" for number in range(1, 9)}
    assert set(CLAIM) == numbered | {"MX24-03n", "MX24-03o"}
    assert all(claim.test in TESTS for claim in CLAIMS)


def test_every_arm_is_run_with_the_seeds_that_its_claims_ask_for() -> None:
    full, quick = PLAN.profile("full"), PLAN.profile("quick")
    for claim in CLAIMS:
        for arm in set(claim.arms) - set(COMPUTED):
            assert arm in full.arms
            assert full.seeds_of(arm) >= claim.seeds
            if claim.key in ("MX24-03", "MX24-07", "MX24-08"):
                assert arm in quick.arms
                assert quick.seeds_of(arm) >= claim.seeds
    assert {full.first_seed, quick.first_seed} == {FIRST_SEED} == {1000}


def test_claims_need_no_torch() -> None:
    program = "import sys, reproductions.mixtral_2024.paper; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def record(arm: str, seed: int, metrics: dict[str, float]) -> RunRecord:
    return RunRecord(
        target="mixtral_2024",
        profile="full",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="",
        commit="",
        steps=100,
        params_total=1_000,
        params_active=500,
        flops_per_token=1e4,
        tokens=1000,
        tokens_per_second=1e4,
        metrics=metrics,
    )


def runs(arm: str = MIXTRAL, noise: float = 0.002, **layers: Sequence[float]) -> list[RunRecord]:
    """Five runs whose metrics lie around the values given for each layer."""
    rng = np.random.default_rng(0)
    return [
        record(
            arm,
            FIRST_SEED + seed,
            {
                f"analysis/{layer}/{name}": value + noise * rng.standard_normal()
                for name, values in layers.items()
                for layer, value in enumerate(values)
            },
        )
        for seed in range(5)
    ]


def verdict(key: str, records: Sequence[RunRecord]) -> Verdict:
    [found] = judge([CLAIM[key]], records, "full")
    return found


@pytest.mark.parametrize(
    ("excess", "word"),
    [
        ((0.005, 0.02, 0.08, 0.06), Word.REPRODUCED),
        ((0.04, 0.02, 0.08, 0.06), Word.PARTIAL),  # in the first layer, too
        ((0.005, 0.01, 0.03, 0.01), Word.PARTIAL),  # more than chance, by less than five points
        ((0.0, -0.01, -0.02, -0.01), Word.NOT_REPRODUCED),
        ((0.005, 0.001, 0.001, 0.001), Word.NOT_REPRODUCED),
    ],
)
def test_neighbours_together(excess: Sequence[float], word: Word) -> None:
    found = verdict("MX24-03", runs(repeats_excess=excess))
    assert found.verdict == word
    most = max(excess[1:])
    assert found.effect == pytest.approx(100 * most, abs=0.5)
    assert found.unit == "percentage points"


def test_the_layer_that_was_picked_pays_for_it() -> None:
    """Alone the layer would be above chance; picked from three it is not."""
    values = np.array([0.7, 2.1, 0.4, 1.2, 1.9])
    names = [f"analysis/{layer}/repeats_excess" for layer in range(LAYERS)]
    records = [
        record(
            MIXTRAL, FIRST_SEED + seed, dict(zip(names, (0.0, value / 100, -1, -1), strict=True))
        )
        for seed, value in enumerate(values)
    ]
    alone = mean_p(values)
    assert 0.05 / 3 < alone < 0.05
    more, *_ = verdict("MX24-03", records).conditions
    assert more["state"] == "open"
    assert more["p"] == pytest.approx(3 * alone)


@pytest.mark.parametrize(
    ("excess", "word"),
    [
        ((0.001, -0.002, 0.003, 0.0), Word.REPRODUCED),
        ((0.001, -0.002, 0.06, 0.0), Word.NOT_REPRODUCED),
        ((0.001, -0.002, -0.06, 0.0), Word.NOT_REPRODUCED),
    ],
)
def test_the_null_control(excess: Sequence[float], word: Word) -> None:
    assert verdict("MX24-03n", runs(NULL, repeats_excess=excess)).verdict == word


@pytest.mark.parametrize(
    ("disordered", "word"),
    [((0.0, 0.01, 0.02, 0.02), Word.REPRODUCED), ((0.0, 0.05, 0.08, 0.07), Word.NOT_REPRODUCED)],
)
def test_the_control_of_the_order(disordered: Sequence[float], word: Word) -> None:
    records = runs(repeats_excess=(0.0, 0.05, 0.08, 0.07), repeats_disordered=disordered)
    assert verdict("MX24-03o", records).verdict == word


@pytest.mark.parametrize(
    ("domain", "token", "word"),
    [
        ((0.01, 0.02, 0.03, 0.02), (0.3, 0.2, 0.1, 0.1), Word.REPRODUCED),
        ((0.01, 0.02, 0.09, 0.02), (0.3, 0.2, 0.1, 0.1), Word.NOT_REPRODUCED),
        ((0.01, 0.02, 0.03, 0.02), (0.1, 0.1, 0.1, 0.1), Word.PARTIAL),
    ],
)
def test_topic(domain: Sequence[float], token: Sequence[float], word: Word) -> None:
    assert verdict("MX24-02", runs(domain_nmi=domain, token_nmi=token)).verdict == word


@pytest.mark.parametrize(
    ("token", "word"),
    [((0.9, 0.7, 0.6, 0.6), Word.REPRODUCED), ((0.9, 0.7, 0.05, 0.6), Word.NOT_REPRODUCED)],
)
def test_token_over_topic(token: Sequence[float], word: Word) -> None:
    records = runs(token_information=token, domain_given_token=(0.01, 0.05, 0.1, 0.1))
    assert verdict("MX24-05", records).verdict == word


@pytest.mark.parametrize(
    ("loss", "word"),
    [(3.0, Word.REPRODUCED), (3.11, Word.REPRODUCED), (3.2, Word.NOT_REPRODUCED)],
)
def test_no_worse_than_a_dense_model_of_all_parameters(loss: float, word: Word) -> None:
    noise = np.random.default_rng(1).standard_normal((5, 2)) * 0.002
    records = [
        record(arm, FIRST_SEED + seed, {"valid/loss": mean + noise[seed, place]})
        for place, (arm, mean) in enumerate(((MIXTRAL, loss), ("dense_parameters", 3.1)))
        for seed in range(5)
    ]
    assert verdict("MX24-08", records).verdict == word


def test_a_run_without_an_examination_decides_nothing() -> None:
    found = verdict("MX24-03", runs())
    assert found.verdict == Word.INCONCLUSIVE


def test_wins_are_counted_from_the_scores() -> None:
    assert wins() == {"wins": 9, "benchmarks": 12}
    assert verdict("MX24-06", [record("wins", 0, wins())]).verdict == Word.REPRODUCED


def test_the_table_stands_beside_the_papers_and_fits_the_readme() -> None:
    layers = {"repeats": (0.2, 0.3), "repeats_excess": (0.01, 0.08)}
    layers |= {"overlap": (0.5, 0.6), "overlap_excess": (0.02, 0.09)}
    [table] = tables(runs(noise=0.0, **layers))
    assert all(len(row) == len(table.head) for row in table.rows)
    assert table.rows[0] == [
        "Mixtral 8x7B",
        "first choice",
        "0",
        "13.6 to 14.9",
        "12.5",
        "+1.1 to +2.4",
    ]
    assert [MIXTRAL, "first choice", "1", "30.0 ± 0.0", "22.0", "+8.0 ± 0.0"] in table.rows
    found = target("mixtral")
    text = (found.evidence.parent / "README.md").read_text()
    assert "30.0 ± 0.0" in with_tables(text, found, runs(noise=0.0, **layers))
