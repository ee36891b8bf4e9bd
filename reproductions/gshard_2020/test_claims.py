"""The claims: all there, run by their profiles, and judged right in worlds made for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.papers.settings import LOSSES
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.gshard_2020.claims_trained import GRID, ORDER, TRAINED
from reproductions.gshard_2020.paper import CLAIMS
from reproductions.gshard_2020.plan import GROUP, PLAN, ROUTER
from reproductions.gshard_2020.published import BLEU

ARMS = sorted({arm for claim in TRAINED for arm in claim.arms})
# Final losses that bear out every claim: BLEU of the models at the same place of the grid.
FINAL = {
    **{f"experts_{n}": 5 - 0.1 * BLEU[f"{16 * n}E-12L"] for n in (8, 32, 128)},
    **{f"deep_{n}": 5 - 0.1 * BLEU[f"{16 * n}E-36L"] for n in (8, 32, 128)},
    "large_source_8": 3.0,
    "large_source_128": 2.3,
}


def world(final: Callable[[str], float], time: float = 2.0) -> list[RunRecord]:
    """Five seeds an arm whose curves fall to `final` at an equal rate; 128 experts take `time`."""
    rng = np.random.default_rng(0)
    records = []
    for arm in ARMS:
        count = int(arm.rpartition("_")[2])
        for seed in range(1000, 1005):
            last = final(arm) + rng.normal(scale=0.001)
            metrics = {f"valid/loss@{s}": last + 0.5 * (1 - s / 600) for s in range(25, 601, 25)}
            cost = {
                "params_total": 10 * count,
                "flops_per_token": 300.0 if "deep" in arm else 100.0,
                "tokens_per_second": 1000 / (time if count == 128 else 1.0),
            }
            records.append(run(arm, seed, last, metrics=metrics, steps=600, tokens=600_000, **cost))
    return records


def words_in(records: list[RunRecord], profile: str = "full") -> dict[str, VerdictLabel]:
    return {found.claim: found.verdict for found in judge(TRAINED, records, profile)}


def as_claimed(arm: str) -> float:
    """The loss in the paper's world; that of one source is the same for all."""
    return FINAL.get(arm, 2.0)


def test_all_seven_claims_are_there() -> None:
    keys = {claim.key[:6] for claim in CLAIMS if claim.of_paper}
    assert keys == {f"G20-{number:02}" for number in range(1, 8)}
    assert [claim.key for claim in CLAIMS if claim.ours] == ["G20-07s"]


def test_the_order_of_the_arms_is_that_of_the_printed_qualities() -> None:
    paper = sorted(BLEU, key=lambda name: -BLEU[name])
    layers = {"36L": 6, "12L": 2}
    points = [(int(n.split("E")[0]) // 16, layers[n.split("-")[1]]) for n in paper]
    assert [GRID[arm] for arm in ORDER] == points


def test_every_arm_of_full_has_the_seeds_that_its_claims_ask_for() -> None:
    full = PLAN.profile("full")
    for claim in TRAINED:
        assert all(full.seeds_of(arm) >= claim.seeds for arm in claim.arms), claim.key


def test_quick_has_the_headline_with_its_controls_and_all_its_seeds() -> None:
    quick = PLAN.profile("quick")
    judged = {c.key for c in TRAINED if all(arm in quick.arms for arm in c.arms)}
    assert judged == {"G20-04a", "G20-04an", "G20-04ap", "G20-05", "G20-07s"}
    [headline] = [claim for claim in TRAINED if claim.key == "G20-04a"]
    assert all(quick.seeds_of(arm) >= headline.seeds for arm in headline.arms)


def test_the_loss_pulls_as_strongly_for_any_number_of_experts() -> None:
    """Its value for uniform routing, 1 / E^2, times its weight is the same for all."""
    for arm in PLAN.arms:
        settings: dict[str, Any] = dict(arm.settings)
        [loss] = settings[LOSSES]
        assert loss["weight"] / settings[f"{ROUTER}.num_experts"] ** 2 == pytest.approx(0.01)
        assert loss["loss"]["init_args"] == {"group": GROUP}


def test_a_world_as_the_paper_claims_reproduces_all() -> None:
    words = words_in(world(as_claimed))
    passed = {claim.key: VerdictLabel.PASSED for claim in TRAINED if claim.control_of}
    assert words == {claim.key: VerdictLabel.REPRODUCED for claim in TRAINED} | passed


def test_a_world_without_effects_reproduces_nothing_but_the_time() -> None:
    words = words_in(world(lambda arm: 2.0))
    assert words.pop("G20-07s") is VerdictLabel.REPRODUCED
    assert words.pop("G20-04ap") is VerdictLabel.FAILED
    assert words.pop("G20-04a") is VerdictLabel.INCONCLUSIVE  # its control says nothing holds
    assert all(words.pop(key) is VerdictLabel.PASSED for key in ("G20-04n", "G20-04an", "G20-05n"))
    assert set(words.values()) == {VerdictLabel.NOT_REPRODUCED}


def test_experts_that_only_cost_are_refuted() -> None:
    grows = {8: 2.0, 32: 2.1, 128: 2.2}
    words = words_in(
        world(
            lambda arm: grows[int(arm.rpartition("_")[2])] if arm in GRID else as_claimed(arm),
            time=8.0,
        )
    )
    refuted = ("G20-04", "G20-04a", "G20-05", "G20-06", "G20-07s")
    assert {words[key] for key in refuted} == {VerdictLabel.NOT_REPRODUCED}


def test_a_null_control_in_which_experts_help_binds_its_claim() -> None:
    words = words_in(world(lambda arm: as_claimed(arm) - 0.1 * (arm == "one_source_128")))
    assert words["G20-04an"] is VerdictLabel.FAILED
    assert words["G20-04a"] is VerdictLabel.INCONCLUSIVE
