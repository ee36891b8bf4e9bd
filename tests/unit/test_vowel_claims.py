"""The claims of 1991 and 1994: all there, all with runs, and the arithmetic ones judged."""

import subprocess
import sys
from pathlib import Path

import pytest

from moebench.claims import Word
from moebench.records import RunRecord
from moebench.verdict import TESTS, Verdict, judge
from reproductions.jacobs_1991 import mechanisms
from reproductions.jacobs_1991.arithmetic import adaptation, gaussian_mixture, gradients
from reproductions.jacobs_1991.arms import GRID, SAME, TABLE_1, arm
from reproductions.jacobs_1991.paper import CLAIMS
from reproductions.jacobs_1991.plan import COMPUTED, PLAN

ROOT = Path(__file__).parents[2]


def test_all_claims_are_there() -> None:
    keys = [claim.key for claim in CLAIMS]
    assert keys[:13] == [f"J91-{number:02}" for number in range(1, 14)]
    assert {"H94-01", "H94-02", *(f"N1-{number:02}" for number in range(1, 8))} < set(keys)
    assert len(set(keys)) == len(keys)


def test_every_claim_has_a_test_and_its_arms_are_run_by_full() -> None:
    full = PLAN.profile("full")
    run = {*full.arms, *COMPUTED}
    for claim in CLAIMS:
        assert claim.test in TESTS, claim.key
        assert set(claim.arms) <= run, (claim.key, set(claim.arms) - run)


def test_quick_judges_all_of_1991() -> None:
    quick = PLAN.profile("quick")
    run = {*quick.arms, *(quick.computed or ())}
    for claim in CLAIMS:
        assert set(claim.arms) <= run or claim.key.startswith("H94"), claim.key


def test_claims_need_no_torch() -> None:
    program = (
        "import sys, reproductions.jacobs_1991.paper, reproductions.jacobs_1991.plan; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_common_step_is_in_the_grid_and_in_the_metrics_printed() -> None:
    assert SAME in GRID
    for claim in CLAIMS:
        if claim.metric.startswith("step_"):
            assert claim.metric.startswith(f"step_{SAME:g}/"), claim.key


@pytest.fixture(scope="module")
def arithmetic() -> dict[str, Verdict]:
    functions = {
        "adaptation": adaptation,
        "gradients": gradients,
        "gaussian_mixture": gaussian_mixture,
    }
    records = [
        RunRecord(
            **{"target": "jacobs_1991", "profile": "full", "arm": name, "seed": 0},
            **{"status": "finished", "config_hash": "", "commit": "", "metrics": function()},
        )
        for name, function in functions.items()
    ]
    return {found.claim: found for found in judge(CLAIMS, records, "full")}


def test_the_formulas_of_the_paper_hold_and_the_further_term_does_not(
    arithmetic: dict[str, Verdict],
) -> None:
    for key in ("J91-09", "J91-12", "N1-03", "N1-06", "N1-07"):
        assert arithmetic[key].verdict is Word.REPRODUCED, key
    assert arithmetic["N1-02"].verdict is Word.NOT_REPRODUCED


def world(epochs: dict[str, float], accuracy: float) -> list[RunRecord]:
    """28 runs of each system under each coding and range; epochs at each step as given."""
    records = []
    for coding in ("aligned", "anti"):
        for spread in (0.5, 0.1, 1.0):
            for system, mean in epochs.items():
                for seed in range(28):
                    noise = 0.01 * ((seed * 7) % 11 - 5)
                    metrics = {
                        f"step_{step:g}/{quantity}": value
                        for step in GRID
                        for quantity, value in {
                            "epochs": mean * (1 + noise),
                            "reached": 1.0,
                            "accuracy/test": accuracy + noise / 10,
                            "accuracy/train": accuracy + noise / 20,
                        }.items()
                    }
                    records.append(
                        RunRecord(
                            **{"target": "jacobs_1991", "profile": "full", "seed": seed},
                            **{"arm": arm(system, coding, spread), "status": "finished"},
                            **{"config_hash": "", "commit": "", "metrics": metrics},
                        )
                    )
    return records


def test_a_world_as_in_table_1_and_one_the_other_way_round() -> None:
    printed = dict(zip(TABLE_1, (1124, 1083, 2209, 2435), strict=True))
    chosen = [claim for claim in CLAIMS if claim.key in ("J91-01", "J91-02", "J91-04", "J91-05")]
    for found in judge(chosen, world(printed, 0.9), "full"):
        assert found.verdict is Word.REPRODUCED, found.why
    turned = dict(zip(TABLE_1, (2209, 2435, 1124, 1083), strict=True))
    words = {one.claim: one.verdict for one in judge(chosen, world(turned, 0.7), "full")}
    # Equally accurate they still are, only less than the paper says.
    assert words.pop("J91-02") is Word.PARTIAL
    assert words == dict.fromkeys(words, Word.NOT_REPRODUCED)


def test_lines_that_agree_have_a_cosine_of_one() -> None:
    import torch

    same_SECD = torch.tensor([[1.0, 2.0, 3.0]]).expand(1, 4, 3)[:, :, None]
    assert mechanisms.mean_cosine(same_SECD) == pytest.approx(1.0)
    # Of three vectors two are opposite and one is at a right angle to both: (-1 + 0 + 0) / 3.
    mixed_SECD = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]], [[0.0, 1.0]]])[None]
    assert mechanisms.mean_cosine(mixed_SECD) == pytest.approx(-1 / 3)


def test_no_setting_names_an_arm_that_the_claim_does_not_have() -> None:
    for claim in CLAIMS:
        named = {name for side in ("below", "above") for name in claim.settings.get(side, {})}
        named |= {name for pair in claim.settings.get("by", {}) for name in pair}
        if claim.test in ("on_its_side", "two_means"):
            assert named <= set(claim.arms), claim.key
