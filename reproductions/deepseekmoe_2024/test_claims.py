"""The claims: all there, and judged right in worlds made for them."""

from collections.abc import Mapping

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.deepseekmoe_2024.claims import SURGERY, TRAINED
from reproductions.deepseekmoe_2024.paper import CLAIMS
from reproductions.deepseekmoe_2024.plan import PLAN

CLAIM = {claim.key: claim for claim in CLAIMS}
ARMS = sorted({arm for claim in TRAINED for arm in claim.arms})
LOSSES = {
    **{"deepseek": 3.0, "gshard": 3.06, "switch": 3.1, "hash": 3.2, "dense": 3.4},
    **{"gshard_x1.5": 3.0, "dense_x16": 2.99, "gshard_quarter": 3.3, "half_active": 3.03},
    **{"plain_1": 3.16, "plain_2": 3.12, "plain_4": 3.08, "shared_1": 3.1, "shared_2": 3.05},
    **{"two_shared": 3.001, "four_shared": 2.999},
    **{"one_source_deepseek": 2.5, "one_source_gshard": 2.5},
}
RISES: Mapping[str, Mapping[str, float]] = {
    "deepseek": {"masked": 0.5, "masked_parameters": 0.6, "taken": 0.6, "taken_routed": 0.01},
    "gshard_x1.5": {"masked": 0.3, "masked_parameters": 0.3},
    "plain_4": {"taken": 0.012, "taken_routed": 0.01},
}


def world(
    losses: Mapping[str, float], rises: Mapping[str, Mapping[str, float]] = RISES
) -> list[RunRecord]:
    """Five seeds an arm, which differ by a few thousandths of a nat."""
    noise = np.random.default_rng(0).standard_normal((len(ARMS), 5)) * 0.001
    records = []
    for place, arm in enumerate(ARMS):
        for seed in range(5):
            loss = losses[arm] + noise[place, seed]
            fewer = {f"{SURGERY}/fewer": loss + 0.02 * (arm == "deepseek")}
            own = {
                f"{SURGERY}/{name}": value + noise[place, seed] / 10
                for name, value in rises.get(arm, {}).items()
            }
            records.append(run(arm, seed, loss, metrics={**fewer, **own}))
    return records


def words(records: list[RunRecord], claims: list[Claim] = TRAINED) -> dict[str, VerdictLabel]:
    return {one.claim: one.verdict for one in judge(claims, records, "full")}


def test_all_twelve_claims_are_there_and_some_by_their_parts() -> None:
    keys = {claim.key for claim in CLAIMS if claim.of_paper}
    assert {key.rstrip("abc") for key in keys} == {f"DM24-{number:02}" for number in range(1, 13)}
    assert keys - {key.rstrip("abc") for key in keys} == {
        *("DM24-01a", "DM24-12a", "DM24-12b", "DM24-12c")
    }


def test_every_arm_is_run_with_the_seeds_that_its_claims_ask_for() -> None:
    full, quick = PLAN.profile("full"), PLAN.profile("quick")
    for claim in TRAINED:
        for arm in claim.arms:
            assert full.seeds_of(arm) >= claim.seeds
            assert arm in full.arms
    decided = {c.key for c in TRAINED if all(PLAN.runs(quick, arm) for arm in c.arms)}
    assert decided == {"DM24-01a", "DM24-06", "DM24-08"}
    assert quick.seeds >= CLAIM["DM24-01a"].seeds


def test_a_world_as_the_paper_claims_reproduces_all() -> None:
    found = words(world(LOSSES))
    controls = {claim.key for claim in TRAINED if claim.control_of}
    assert {found.pop(key) for key in controls} == {VerdictLabel.PASSED}
    assert set(found.values()) == {VerdictLabel.REPRODUCED}, found


def test_a_world_the_other_way_round_reproduces_none_of_the_orders() -> None:
    upside_down = {arm: 6 - loss for arm, loss in LOSSES.items()}
    found = words(world(upside_down, {arm: dict.fromkeys(of, 0.1) for arm, of in RISES.items()}))
    assert found["DM24-01ap"] is VerdictLabel.FAILED
    assert found["DM24-01a"] is VerdictLabel.INCONCLUSIVE  # for its control failed
    for key in ("DM24-01", "DM24-04", "DM24-06", "DM24-07", "DM24-09"):
        assert found[key] is VerdictLabel.NOT_REPRODUCED, key


@pytest.mark.parametrize(
    ("arm", "loss", "key", "word"),
    [
        ("deepseek", 3.055, "DM24-01a", VerdictLabel.NOT_REPRODUCED),  # by less than counts
        ("one_source_deepseek", 2.4, "DM24-01an", VerdictLabel.FAILED),
        ("hash", 3.05, "DM24-01", VerdictLabel.PARTIAL),
        ("gshard_x1.5", 2.95, "DM24-02", VerdictLabel.NOT_REPRODUCED),
        ("dense_x16", 2.6, "DM24-03", VerdictLabel.NOT_REPRODUCED),  # closes half of the gap
        ("four_shared", 3.05, "DM24-05", VerdictLabel.NOT_REPRODUCED),
        ("shared_1", 3.17, "DM24-04", VerdictLabel.PARTIAL),  # helps, but not at every granularity
        ("plain_4", 3.2, "DM24-04", VerdictLabel.PARTIAL),  # only the first split helps
        ("half_active", 3.08, "DM24-09", VerdictLabel.NOT_REPRODUCED),
        ("gshard", 2.95, "DM24-08", VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_what_decides_each(arm: str, loss: float, key: str, word: VerdictLabel) -> None:
    [claim] = [claim for claim in TRAINED if claim.key == key]
    assert words(world({**LOSSES, arm: loss}), [claim]) == {key: word}


@pytest.mark.parametrize("metric", ["masked", "masked_parameters"])
def test_masking_is_judged_for_equal_shares_and_for_equal_parameters(metric: str) -> None:
    rises = {**RISES, "deepseek": {**RISES["deepseek"], metric: 0.2}}
    found = words(world(LOSSES, rises), [CLAIM["DM24-07"]])
    assert found == {"DM24-07": VerdictLabel.NOT_REPRODUCED}


def test_a_shared_expert_that_costs_as_much_as_five_others_is_not_ruinous() -> None:
    rises = {**RISES, "deepseek": {**RISES["deepseek"], "taken_routed": 0.12}}
    found = words(world(LOSSES, rises), [CLAIM["DM24-06"]])
    assert found == {"DM24-06": VerdictLabel.NOT_REPRODUCED}
