"""The claims of 1991: all there, all with runs, the arithmetic ones judged, and made-up worlds."""

import subprocess
import sys
from pathlib import Path

import pytest

from moebench.claims import Word
from moebench.records import RunRecord
from moebench.verdict import Verdict, judge
from reproductions.jacobs_1991 import mechanisms
from reproductions.jacobs_1991.arithmetic import adaptation, gradients
from reproductions.jacobs_1991.arms import GRID, RANGES, SAME, TABLE_1, arm
from reproductions.jacobs_1991.at_steps import AtSteps
from reproductions.jacobs_1991.paper import CLAIMS
from reproductions.jacobs_1991.plan import COMPUTED, PLAN

ROOT = Path(__file__).parents[2]


def test_all_claims_are_there() -> None:
    stated = [claim.key for claim in CLAIMS if claim.of_paper]
    assert stated == [f"J91-{number:02}" for number in range(1, 14)]


def test_quick_and_full_run_every_arm_of_every_claim() -> None:
    for name in ("quick", "full"):
        profile = PLAN.profile(name)
        run = {*profile.arms, *COMPUTED}
        for claim in CLAIMS:
            assert set(claim.arms) <= run, (claim.key, set(claim.arms) - run)


def test_claims_need_no_torch() -> None:
    program = (
        "import sys, reproductions.jacobs_1991.paper, reproductions.jacobs_1991.plan; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_common_step_is_in_the_grid_and_in_the_metrics_printed() -> None:
    assert SAME in GRID
    for claim in CLAIMS:
        if isinstance(claim.test, AtSteps) and claim.test.rules:
            assert claim.test.metric.startswith(f"step_{SAME:g}/"), claim.key


def record(name: str, seed: int, metrics: dict[str, float]) -> RunRecord:
    return RunRecord(
        **{"target": "jacobs_1991", "profile": "full", "arm": name, "seed": seed},
        **{"status": "finished", "config_hash": "", "commit": "", "metrics": metrics},
    )


@pytest.fixture(scope="module")
def arithmetic() -> dict[str, Verdict]:
    functions = {"adaptation": adaptation, "gradients": gradients}
    records = [record(name, 0, function()) for name, function in functions.items()]
    return {found.claim: found for found in judge(CLAIMS, records, "full")}


def test_the_formulas_of_the_paper_hold(arithmetic: dict[str, Verdict]) -> None:
    for key in ("J91-09", "J91-12"):
        assert arithmetic[key].verdict is Word.REPRODUCED, key


def runs(name: str, epochs: float, accuracy: float, **gap: float) -> list[RunRecord]:
    """28 runs of an arm whose epochs and accuracies vary by 5% and half a point."""
    records = []
    for seed in range(28):
        noise = 0.01 * ((seed * 7) % 11 - 5)
        quantities = {
            "epochs": epochs * (1 + noise),
            "reached": 1.0,
            "accuracy/test": accuracy + noise / 10 + gap.get("gap", 0.0),
            "accuracy/train": accuracy + noise / 20,
        }
        metrics = {f"step_{step:g}/{q}": value for step in GRID for q, value in quantities.items()}
        records.append(record(name, seed, metrics))
    return records


def world(epochs: dict[str, float], accuracy: float) -> list[RunRecord]:
    """Runs of each system under each choice; epochs at each step as given."""
    made = []
    for system, mean in epochs.items():
        for spread in RANGES:
            for coding in ("aligned", "anti"):
                made += runs(arm(system, coding, spread), mean, accuracy)
        made += runs(arm(system, order="file"), mean, accuracy)
    return made


def words(records: list[RunRecord], *keys: str) -> dict[str, Word]:
    chosen = [claim for claim in CLAIMS if claim.key in keys]
    return {found.claim: found.verdict for found in judge(chosen, records, "full")}


def test_a_world_as_in_table_1_and_one_the_other_way_round() -> None:
    keys = ("J91-01", "J91-02", "J91-04", "J91-05")
    printed = dict(zip(TABLE_1, (1124, 1083, 2209, 2435), strict=True))
    assert set(words(world(printed, 0.9), *keys).values()) == {Word.REPRODUCED}
    turned = dict(zip(TABLE_1, (2209, 2435, 1124, 1083), strict=True))
    found = words(world(turned, 0.7), *keys)
    # Equally accurate they still are, only less than the paper says.
    assert found.pop("J91-02") is Word.PARTIAL
    assert found == dict.fromkeys(found, Word.NOT_REPRODUCED)


def test_what_holds_with_one_coding_only_is_partial_and_the_verdict_names_it() -> None:
    half = dict(zip(TABLE_1, (1124, 1083, 2209, 2435), strict=True))
    records = [one for one in world(half, 0.9) if ".anti." not in one.arm]
    for spread in RANGES:
        for system in TABLE_1:
            records += runs(arm(system, "anti", spread), 1000, 0.9)
    [claim] = [claim for claim in CLAIMS if claim.key == "J91-01"]
    (found,) = judge([claim], records, "full")
    assert found.verdict is Word.PARTIAL
    assert "holds under 8 of 14 choices (aligned, range 0.5, best step;" in found.why
    assert "refuted under 6 of 14 choices (anti, range 0.5, best step;" in found.why


@pytest.mark.parametrize(
    ("gap", "word"),
    [
        (lambda order: 0.02 + 0.001 * (order % 3), Word.REPRODUCED),
        (lambda order: 0.02 * (-1) ** order, Word.INCONCLUSIVE),
        (lambda order: -0.02 - 0.001 * (order % 3), Word.NOT_REPRODUCED),
    ],
)
def test_the_speakers_are_judged_over_their_orders(gap: object, word: Word) -> None:
    [claim] = [claim for claim in CLAIMS if claim.key == "J91-13"]
    records = []
    for name in claim.arms:
        number = int(name.rpartition("_")[2]) if "order" in name else 0
        records += runs(name, 1000, 0.9, gap=gap(number))  # type: ignore[operator]
    (found,) = judge([claim], records, "full")
    assert (found.verdict, found.n) == (word, 20)


def test_lines_that_agree_have_a_cosine_of_one() -> None:
    import torch

    same_SECD = torch.tensor([[1.0, 2.0, 3.0]]).expand(1, 4, 3)[:, :, None]
    assert mechanisms.mean_cosine(same_SECD) == pytest.approx(1.0)
    # Of three vectors two are opposite and one is at a right angle to both: (-1 + 0 + 0) / 3.
    mixed_SECD = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]], [[0.0, 1.0]]])[None]
    assert mechanisms.mean_cosine(mixed_SECD) == pytest.approx(-1 / 3)
