"""The claims: all there, and judged right in worlds made for them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.experiment import load
from moebench.experiment.dense_twin import twin
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from moebench.verdict.comparisons import Equivalence
from reproductions.switch_2021.controls import CONTROLS
from reproductions.switch_2021.judging import Undisturbed
from reproductions.switch_2021.paper import ARITHMETIC, CLAIMS
from reproductions.switch_2021.plan import PLAN
from reproductions.switch_2021.rows import FewDropped

TRAINED = [claim for claim in CLAIMS if claim.test and claim not in ARITHMETIC]
ARMS = sorted({arm for claim in TRAINED for arm in claim.arms})
SPARSE_AGAINST_DENSE = [claim for claim in CLAIMS if claim.key.startswith("SW21-03")]


def test_all_twenty_claims_are_there_and_two_by_their_parts() -> None:
    keys = {claim.key for claim in CLAIMS if claim.of_paper}
    assert keys == {f"SW21-{number:02}" for number in range(1, 21)} | {"SW21-01t", "SW21-10a"}
    assert [claim.key for claim in CLAIMS if claim.ours] == ["SW21-03s"]


def test_every_arm_is_run_with_the_seeds_that_its_claims_ask_for() -> None:
    full = PLAN.profile("full")
    for claim in TRAINED:
        for arm in claim.arms:
            assert arm in full.arms
            assert full.seeds_of(arm) >= claim.seeds


def test_controls_are_judged_by_the_test_of_their_claim() -> None:
    (claim,) = [claim for claim in CLAIMS if claim.key == "SW21-03"]
    assert {control.expects for control in CONTROLS} == {"effect", "no effect"}
    for control in CONTROLS:
        assert control.control_of == claim.key
        assert control.test is not None
        assert claim.test is not None
        assert type(control.test) is type(claim.test)
        assert control.test.metric == claim.test.metric
        assert control.test.margin == claim.test.margin


def test_a_claim_without_control_says_why() -> None:
    controlled = {control.control_of for control in CONTROLS}
    others = [claim for claim in TRAINED if claim.key not in controlled and not claim.control_of]
    assert all(claim.uncontrolled for claim in others)


AS_CLAIMED = {  # final losses that bear out every claim of the paper that is judged by runs
    "dense": 3.6,
    "dense_x3.5": 4.0,
    "experts_2": 3.1,
    "experts_4": 2.6,
    "switch_cf1.25": 2.0,
    "experts_16": 1.7,
    "experts_32": 1.3,
    "experts_64": 0.8,
    "top2_cf1.0": 2.4,
    "top2_cf1.25": 2.3,
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
    "t5_dense": 3.6,
    "t5_switch_8": 3.0,
    "recall_dense": 3.6,
    "recall_switch_8": 3.0,
    "one_source_dense": 2.5,
    "one_source_switch_8": 2.5,
}


def world(
    final: Callable[[str], float], drop: float, spread: float, wild: float, rng_seed: int
) -> list[RunRecord]:
    """Ten seeds an arm: curves fall to `final`, seeds differ by `spread`, of init_1.0 by `wild`."""
    rng = np.random.default_rng(rng_seed)
    records = []
    length = {"steps": 600, "tokens": 600 * 2048, "tokens_per_second": 20480.0}
    for arm in ARMS:
        for seed in range(10):
            own = rng.normal(scale=wild if arm == "init_1.0" else spread)
            curve = {
                f"valid/loss@{step}": final(arm) + own + 3.0 * (1 - step / 600)
                for step in range(25, 601, 25)
            }
            share = {"route/dropped": drop * float(rng.uniform(0.95, 1.05))}
            last = curve["valid/loss@600"]
            records.append(run(arm, seed, last, metrics={**curve, **share}, **length))
    return records


def words_in(records: list[RunRecord]) -> dict[str, VerdictLabel]:
    """The word for every claim that is judged by training."""
    return {found.claim: found.verdict for found in judge(TRAINED, records, "full")}


def test_a_world_as_the_paper_claims_reproduces_all() -> None:
    words = words_in(world(AS_CLAIMED.__getitem__, 0.004, 0.002, 0.1, rng_seed=1))
    passed = {control.key: VerdictLabel.PASSED for control in CONTROLS}
    assert words == {claim.key: VerdictLabel.REPRODUCED for claim in TRAINED} | passed


def test_a_world_the_other_way_round_reproduces_nothing() -> None:
    words = words_in(world(lambda arm: 6.0 - AS_CLAIMED[arm], 0.1, 0.002, 0.002, rng_seed=2))
    assert words.pop("SW21-15") is VerdictLabel.REPRODUCED  # equal either way
    assert words.pop("SW21-03n") is VerdictLabel.PASSED
    assert words.pop("SW21-03p") is VerdictLabel.FAILED
    assert words.pop("SW21-03") is VerdictLabel.INCONCLUSIVE
    assert set(words.values()) == {VerdictLabel.NOT_REPRODUCED}


def test_a_world_without_effects_reproduces_no_effect() -> None:
    equal = (Equivalence, FewDropped, Undisturbed)
    effects = [c for c in TRAINED if c.of_paper and not isinstance(c.test, equal)]
    found = [
        verdict.verdict
        for rng_seed in range(10)
        for verdict in judge(effects, world(lambda arm: 2.0, 0.02, 0.02, 0.02, rng_seed), "full")
    ]
    assert found.count(VerdictLabel.REPRODUCED) + found.count(VerdictLabel.PARTIAL) <= 2


def sparse_against_dense(gains: Mapping[str, float], seeds: int = 5) -> dict[str, VerdictLabel]:
    """The words for SW21-03 and what belongs to it, by what sparse models gain in each world."""
    losses = {
        arm: 3.0 - gain * (arm == sparse)
        for claim in SPARSE_AGAINST_DENSE
        for sparse, gain in ((claim.arms[0], gains.get(claim.key, 0.1)),)
        for arm in claim.arms
    }
    records = [
        run(arm, seed, loss + 0.001 * seed * ("dense" in arm))
        for arm, loss in losses.items()
        for seed in range(seeds)
    ]
    found = judge(SPARSE_AGAINST_DENSE, records, "full")
    return {verdict.claim: verdict.verdict for verdict in found}


@pytest.mark.parametrize(
    ("null", "positive", "words"),
    [
        (0.0, 0.1, (VerdictLabel.PASSED, VerdictLabel.PASSED, VerdictLabel.REPRODUCED)),
        (
            0.002,
            0.1,
            (VerdictLabel.PASSED, VerdictLabel.PASSED, VerdictLabel.REPRODUCED),
        ),  # there, and a trifle
        (0.1, 0.1, (VerdictLabel.FAILED, VerdictLabel.PASSED, VerdictLabel.INCONCLUSIVE)),
        (0.0, 0.0, (VerdictLabel.PASSED, VerdictLabel.FAILED, VerdictLabel.INCONCLUSIVE)),
    ],
)
def test_controls_bind(null: float, positive: float, words: tuple[VerdictLabel, ...]) -> None:
    found = sparse_against_dense({"SW21-03n": null, "SW21-03p": positive})
    assert tuple(found[key] for key in ("SW21-03n", "SW21-03p", "SW21-03")) == words


def test_three_seeds_are_enough_for_sparse_against_dense() -> None:
    assert sparse_against_dense({"SW21-03n": 0.0}, seeds=3)["SW21-03"] is VerdictLabel.REPRODUCED


def test_the_dense_configuration_is_the_twin_of_the_sparse_one() -> None:
    """`dense.yaml` is what the larger dense model is made from, and twins are solved for."""
    world = {
        "class_path": "Synthetic",
        "init_args": {
            "world": {"class_path": "Uniform", "init_args": {"size": 32}},
            **{"vocabulary": 64, "length": 8, "batch_size": 4, "valid_batches": 1},
        },
    }
    configs = Path(__file__).parents[2] / "configs" / "switch_2021"
    sparse, dense = (
        load([configs / f"{name}.yaml"], {"data": world}) for name in ("switch_8", "dense")
    )
    made = twin(sparse, "active_flops").experiment
    shapes = [one.config["model"]["network"]["init_args"]["shape"] for one in (made, dense)]
    assert shapes[0] == shapes[1]
