"""The claims of the sparsely-gated layer: complete, judged right in worlds made for them."""

import importlib
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from moebench.claims import Word
from moebench.publish import with_tables
from moebench.records import RunRecord
from moebench.targets import target
from moebench.verdict import TESTS, Verdict, judge
from reproductions.shazeer_2017.arithmetic import first_step
from reproductions.shazeer_2017.figures import draw
from reproductions.shazeer_2017.paper import BALANCE, CLAIMS, COMPUTED, FLAT, NONE, TO_256
from reproductions.shazeer_2017.plan import FIRST_SEED, PLAN
from reproductions.shazeer_2017.tables import tables

ROOT = Path(__file__).parents[2]
TRAINED = sorted({arm for claim in CLAIMS for arm in claim.arms} - set(COMPUTED))
STEPS = (400, 500, 1000, 1600, 2000, 4000)


def test_all_fifteen_claims_are_there() -> None:
    keys = [claim.key for claim in CLAIMS]
    assert keys == sorted([*(f"S17-{number:02}" for number in range(1, 16)), "S17-06n"])
    assert all(claim.test in TESTS for claim in CLAIMS if claim.test)
    assert [claim.key for claim in CLAIMS if claim.because] == ["S17-12", "S17-13"]


def test_every_arm_is_run_with_the_seeds_that_its_claims_ask_for() -> None:
    full, quick = PLAN.profile("full"), PLAN.profile("quick")
    for claim in CLAIMS:
        for arm in set(claim.arms) - set(COMPUTED):
            assert arm in full.arms
            assert full.seeds_of(arm) >= claim.seeds
            if claim.key in ("S17-01", "S17-02", "S17-03"):
                assert arm in quick.arms
                assert quick.seeds_of(arm) >= claim.seeds
    assert {full.first_seed, quick.first_seed} == {FIRST_SEED} == {1000}


def test_claims_need_no_torch() -> None:
    program = "import sys, reproductions.shazeer_2017.paper; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def record(arm: str, seed: int, metrics: Mapping[str, float]) -> RunRecord:
    return RunRecord(
        target="shazeer_2017",
        profile="full",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="",
        commit="",
        steps=4000,
        params_total=1_000,
        params_active=500,
        flops_per_token=1e4,
        tokens=4000 * 1536,
        tokens_per_second=1e4,
        metrics=dict(metrics),
    )


@pytest.fixture(scope="module")
def computed() -> list[RunRecord]:
    found = []
    for arm, reference in COMPUTED.items():
        module, name = reference.split(":")
        found.append(record(arm, 0, getattr(importlib.import_module(module), name)()))
    return found


World = Callable[[str, float], float]  # arm and logarithm of the steps -> loss


def trained(loss: World, load: Callable[[float], float]) -> list[RunRecord]:
    """Five seeds of every arm; the noise of two arms is never the same."""
    records = []
    for number, arm in enumerate(TRAINED):
        rng = np.random.default_rng(number)
        for seed in range(1000, 1005):
            noise = 0.002 * rng.standard_normal()
            curve = {f"valid/loss@{s}": loss(arm, math.log2(s)) + noise for s in STEPS}
            cv = load(BALANCE[arm][1]) if arm in BALANCE else 0.1
            routing = {
                "route/cv": cv * (1 + noise),
                "route/importance_cv": cv,
                "route/max_over_mean": 1 + 3 * cv + noise,
            }
            records.append(
                record(arm, seed, {**curve, "valid/loss": curve["valid/loss@4000"], **routing})
            )
    return records


def as_in_the_paper(arm: str, data: float) -> float:
    """Collapse costs 0.1; the best size grows with the data, and so does what size brings."""
    if arm in BALANCE:
        return 3.1 if arm == NONE else 3.0
    size = math.log2(TO_256.get(arm, 4))
    return 4.0 + 0.01 * (size - (data - 4)) ** 2


def nothing_helps(arm: str, data: float) -> float:
    return 4.0


def verdicts(records: list[RunRecord]) -> dict[str, Verdict]:
    return {verdict.claim: verdict for verdict in judge(CLAIMS, records, "full")}


def test_what_follows_from_formulas(computed: list[RunRecord]) -> None:
    found = verdicts(computed)
    words = {key: found[key].verdict for key in ("S17-04", "S17-05", "S17-08", "S17-14", "S17-15")}
    assert set(words.values()) == {Word.REPRODUCED}, words
    assert found["S17-09"].verdict is Word.NOT_REPRODUCED
    assert found["S17-09"].effect == pytest.approx(1.308, abs=0.001), "19.3% where 18% is printed"
    assert found["S17-04"].effect < 0.01
    assert found["S17-12"].verdict is Word.NOT_TESTABLE


def test_a_world_in_which_the_paper_is_right(computed: list[RunRecord]) -> None:
    records = trained(as_in_the_paper, lambda weight: 0.1 + 2.0 * (weight == 0) - 0.01 * weight)
    found = verdicts([*records, *computed])
    words = {f"S17-{n:02}": found[f"S17-{n:02}"].verdict for n in (1, 2, 3, 6, 7, 10, 11)}
    assert set(words.values()) == {Word.REPRODUCED}, {k: found[k].why for k in words}
    assert found["S17-06n"].verdict is Word.REPRODUCED


def test_a_world_in_which_nothing_helps(computed: list[RunRecord]) -> None:
    found = verdicts([*trained(nothing_helps, lambda weight: 0.1), *computed])
    assert found["S17-01"].verdict is Word.NOT_REPRODUCED
    assert found["S17-02"].verdict is Word.NOT_REPRODUCED
    for key in ("S17-03", "S17-06", "S17-10", "S17-11"):
        assert found[key].verdict in (Word.NOT_REPRODUCED, Word.INCONCLUSIVE), found[key].why


def test_the_first_step_is_held_against_the_chance_of_the_lot() -> None:
    metrics = first_step(batches=200)
    # (E - k) / (k T) = 12 / 2048; 200 batches know it to a few per cent.
    assert metrics["by lot/CV squared"] == pytest.approx(12 / 2048)
    assert metrics["zero/CV squared"] == pytest.approx(12 / 2048, rel=0.1)
    assert metrics["normal/CV squared"] > 1.5 * 12 / 2048


def test_tables_stand_beside_the_papers_own_figures() -> None:
    records = trained(as_in_the_paper, lambda weight: 2.0 if weight == 0 else 0.125)
    table_6, table_7 = tables(records)
    assert len(table_6.rows) == 6
    assert table_6.rows[0][:2] == ["0, 0", "39.8"]
    assert float(table_6.rows[0][2]) == pytest.approx(math.exp(3.1), rel=0.01)
    assert table_6.rows[0][3:5] == ["3.04", "2.000 ± 0.000"]
    assert all(len(row) == len(table_6.head) for row in table_6.rows)
    by_arm = {row[0]: row for row in table_7.rows}
    assert set(FLAT) <= set(by_arm)
    assert by_arm["experts_256"][-2:] == ["MoE-256", "35.7"]
    assert by_arm["experts_256"][1] == "1,000"
    assert by_arm["lstm_4x"][3] == "–", "no claim runs it in this world"
    assert all(len(row) == len(table_7.head) for row in table_7.rows)


def test_the_readme_takes_the_tables_in(computed: list[RunRecord]) -> None:
    found = target("shazeer")
    text = found.evidence.with_name("README.md").read_text()
    filled = with_tables(text, found, [*trained(as_in_the_paper, lambda _: 0.1), *computed])
    assert "| 0.1, 0.1 | 35.6 |" in filled
    assert "MoE-1-Wide" in filled
    assert "No committed evidence" not in filled


def test_the_figure_shows_the_floor_and_is_left_out_without_runs() -> None:
    [figure] = draw(trained(as_in_the_paper, lambda _: 0.1))
    theirs, ours = figure.charts
    assert "256: 35.7" in theirs
    # Floor of 8192 facts of 128 symbols: H(first) + H(second | first) = log 8192, a third of it.
    assert f"floor {math.exp(math.log(8192) / 3):.3g}" in ours
    assert draw([]) == []
