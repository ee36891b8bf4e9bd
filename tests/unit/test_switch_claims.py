"""The claims of Switch: complete, judged right in worlds made for them, arithmetic checked."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from moebench.claims import Word
from moebench.records import RunRecord
from moebench.verdict import TESTS, Verdict, judge
from moebench.verdict.table import table
from reproductions.switch_2021.arithmetic import balance_loss, balance_minimum, best_probabilities
from reproductions.switch_2021.paper import CLAIMS, COMPUTED, PAPER, SEARCHED, SIZES
from reproductions.switch_2021.plan import PLAN

ROOT = Path(__file__).parents[2]
TRAINED = sorted({arm for claim in CLAIMS for arm in claim.arms} - set(COMPUTED))


def test_all_twenty_claims_are_there() -> None:
    keys = [claim.key for claim in CLAIMS]
    assert keys == sorted(
        [*(f"SW21-{i:02}" for i in range(1, 21)), "SW21-03n", "SW21-03p", "SW21-03s"]
    )
    assert PAPER.key == "switch_2021"
    assert all(claim.test in TESTS for claim in CLAIMS if claim.test)
    assert [c.key for c in CLAIMS if c.because] == ["SW21-04", "SW21-06", "SW21-16", "SW21-17"]


def test_every_arm_is_run_with_the_seeds_that_its_claims_ask_for() -> None:
    full = PLAN.profile("full")
    for claim in CLAIMS:
        for arm in set(claim.arms) - set(COMPUTED):
            assert arm in full.arms
            assert full.seeds_of(arm) >= claim.seeds


def test_claims_need_no_torch() -> None:
    program = (
        "import sys, reproductions.switch_2021.paper, moebench.verdict.table; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_computed_arms_name_functions() -> None:
    for reference in COMPUTED.values():
        module, name = reference.split(":")
        assert callable(getattr(importlib.import_module(module), name))


def record(arm: str, seed: int, metrics: dict[str, float], status: str = "finished") -> RunRecord:
    return RunRecord(
        target="switch_2021",
        profile="full",
        arm=arm,
        seed=seed,
        status=status,
        config_hash="",
        commit="",
        steps=600,
        params_total=1_000_000,
        params_active=500_000,
        flops_per_token=1e6,
        tokens=600 * 2048,
        tokens_per_second=20480.0,
        metrics=metrics,
    )


@pytest.fixture(scope="module")
def computed() -> list[RunRecord]:
    functions = {"balance_loss": balance_loss, "balance_minimum": balance_minimum}
    return [record(arm, 0, functions[arm]()) for arm in COMPUTED]


def world(
    final: Callable[[str], float], drop: float, spread: float, wild: float, rng_seed: int
) -> list[RunRecord]:
    """Ten seeds an arm: curves fall to `final`, seeds differ by `spread`, of init_1.0 by `wild`."""
    rng = np.random.default_rng(rng_seed)
    records = []
    for arm in TRAINED:
        for seed in range(10):
            own = rng.normal(scale=wild if arm == "init_1.0" else spread)
            curve = {
                f"valid/loss@{step}": final(arm) + own + 3.0 * (1 - step / 600)
                for step in range(25, 601, 25)
            }
            share = drop * float(rng.uniform(0.95, 1.05))
            last = {"valid/loss": curve["valid/loss@600"], "route/dropped": share}
            records.append(record(arm, seed, {**curve, **last}))
    return records


AS_CLAIMED = {  # final losses that bear out every claim of the paper that is judged by runs
    "dense": 3.6,
    "dense_x3.5": 3.2,
    "experts_2": 3.1,
    "experts_4": 2.6,
    "switch_cf1.25": 2.0,
    "experts_16": 1.7,
    "experts_32": 1.3,
    "experts_64": 1.0,
    "top2_cf1.0": 2.4,
    "switch_cf1.0": 2.2,
    "reroute_cf1.0": 2.2,
    "top2_cf2.0": 1.8,
    "switch_cf2.0": 1.95,
    "init_1.0": 3.0,
    "alpha_0": 2.5,
    "alpha_1e-4": 2.1,
    "alpha_1e-3": 2.05,
    "alpha_1e-1": 2.05,
    "alpha_1": 2.6,
    "explore_argmax": 2.0,
    "explore_dropout": 2.1,
    "explore_sample": 2.5,
    "few_wide": 1.8,
    "many_narrow": 2.2,
    "attention_experts": 1.9,
    "both_experts": 1.8,
    "t5_dense": 3.6,
    "t5_switch_8": 3.0,
    "recall_dense": 3.6,
    "recall_switch_8": 3.0,
    "one_source_dense": 2.5,
    "one_source_switch_8": 2.5,
}


@pytest.fixture(scope="module")
def as_claimed(computed: list[RunRecord]) -> dict[str, Verdict]:
    records = [*world(AS_CLAIMED.__getitem__, 0.004, 0.002, 0.1, rng_seed=1), *computed]
    return {verdict.claim: verdict for verdict in judge(CLAIMS, records, "full")}


def test_a_world_as_the_paper_claims_reproduces_all_but_the_false_one(
    as_claimed: dict[str, Verdict],
) -> None:
    words = {key: verdict.verdict for key, verdict in as_claimed.items()}
    untested = dict.fromkeys(["SW21-04", "SW21-06", "SW21-16", "SW21-17"], Word.NOT_TESTABLE)
    expected = {claim.key: Word.REPRODUCED for claim in CLAIMS}
    assert words == {**expected, **untested, "SW21-20": Word.NOT_REPRODUCED}
    assert max(map(len, table(list(as_claimed.values())).splitlines())) <= 120


def test_a_world_the_other_way_round_reproduces_nothing(computed: list[RunRecord]) -> None:
    records = world(lambda arm: 6.0 - AS_CLAIMED[arm], 0.1, 0.002, 0.002, rng_seed=2)
    words = {found.claim: found.verdict for found in judge(CLAIMS, records, "full")}
    same_either_way = {"SW21-03n", "SW21-15"}  # equality
    assert Word.REPRODUCED not in {w for key, w in words.items() if key not in same_either_way}
    refuted = {
        "SW21-01",
        "SW21-02",
        "SW21-03",
        "SW21-03p",
        "SW21-03s",
        "SW21-09",
        "SW21-13",
        "SW21-14",
        "SW21-18",
    }
    assert {key for key, word in words.items() if word is Word.NOT_REPRODUCED} >= refuted


def test_a_world_without_effects_reproduces_no_effect() -> None:
    effects = [
        claim for claim in CLAIMS if claim.test not in {"equivalence", "exact", "flat_share"}
    ]
    found = [
        verdict.verdict
        for rng_seed in range(10)
        for verdict in judge(effects, world(lambda arm: 2.0, 0.02, 0.02, 0.02, rng_seed), "full")
    ]
    assert found.count(Word.REPRODUCED) + found.count(Word.PARTIAL) <= 2


def test_three_seeds_are_enough_for_sparse_against_dense() -> None:
    records = [
        record(arm, seed, {"valid/loss": loss + 0.003 * seed * (arm == "dense")})
        for arm, loss in (("switch_cf1.25", 2.5), ("dense", 2.6))
        for seed in range(3)
    ]
    (claim,) = [claim for claim in CLAIMS if claim.key == "SW21-03"]
    (found,) = judge([claim], records, "full")
    assert (found.verdict, found.preliminary, found.interval) == (Word.REPRODUCED, True, "t")


def test_balance_loss_by_hand() -> None:
    metrics = balance_loss()
    assert len(metrics) == 4 * len(SIZES)
    assert metrics["uniform/value@8"] == pytest.approx(0.01)
    assert metrics["uniform/gradient@8"] == pytest.approx(0.0, abs=1e-15)
    # f = P = (1, 0, ...): alpha * N; the gradient by P_1 is alpha * N * f_1.
    assert metrics["collapsed/value@8"] == pytest.approx(0.08)
    assert metrics["collapsed/gradient@8"] == pytest.approx(0.08)


def test_uniform_routing_is_not_the_minimum() -> None:
    metrics = balance_minimum()
    assert metrics["by_hand"] == pytest.approx(2 * (0.75 * 0.375 + 0.25 * 0.625))
    # Two experts with loads a > 1/2 and 1 - a: at best a + 2 (1 - a)^2, smallest at a = 3/4.
    assert metrics["minimum@2"] == pytest.approx(0.875)
    assert all(metrics[f"minimum@{n}"] <= metrics["minimum@2"] + 1e-12 for n in SEARCHED)


def testbest_probabilities_against_all_corners() -> None:
    # The corners of the feasible set are the uniform distributions over sets that contain j.
    rng = np.random.default_rng(0)
    for _ in range(20):
        load_E = rng.dirichlet(np.ones(4))
        rows = best_probabilities(load_E)
        for j, row in enumerate(rows):
            others = [i for i in range(4) if i != j]
            sets = [[j, *more] for size in range(4) for more in combinations(others, size)]
            assert row @ load_E == pytest.approx(min(load_E[s].mean() for s in sets))
            assert row.sum() == pytest.approx(1)
            assert row.argmax() == j or row[j] == pytest.approx(row.max())


def test_no_random_routing_is_below_the_minimum_for_two_experts() -> None:
    torch.manual_seed(0)
    for _ in range(200):
        probs_TE = torch.rand(8, 2, dtype=torch.float64).softmax(dim=-1)
        load_E = torch.nn.functional.one_hot(probs_TE.argmax(dim=-1), 2).double().mean(dim=0)
        assert 2 * (load_E * probs_TE.mean(dim=0)).sum() >= 0.875


def test_arithmetic_verdicts(as_claimed: dict[str, Verdict]) -> None:
    assert as_claimed["SW21-07"].effect == pytest.approx(0.0, abs=1e-9)
    assert as_claimed["SW21-20"].effect == pytest.approx(-0.6)
    assert "minimum@8 is 0.4" in as_claimed["SW21-20"].why
