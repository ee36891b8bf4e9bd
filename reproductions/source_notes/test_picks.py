"""The claims about the size and the number of experts: what they compare, and what decides them."""

from collections.abc import Mapping

import pytest

from moebench.experiment import Experiment, load
from moebench.experiment.dense_twin import twin
from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import around, run
from moebench.training.cost import Cost
from moebench.verdict import judge
from reproductions.deepseekmoe_2024.claims import TRAINED
from reproductions.source_notes.granularity_claims import CLAIMS_GRANULARITY
from reproductions.source_notes.picks_claims import (
    ARMS_PICKS,
    CLAIMS_PICKS,
    DENSE,
    EQUAL_FLOPS,
    NULL,
    SIZED,
    TINY,
)
from reproductions.source_notes.picks_judging import BestInBetween

NOT = VerdictLabel.NOT_REPRODUCED
LOSS = {
    **{"k_1": 2.9, "k_2": 2.85, "k_4": 2.82, "k_8": 2.82},
    **{"k_1_wide": 2.85, "k_2_wide": 2.8, "k_8_narrow": 2.9},
    **{DENSE: 2.82, TINY: 3.2, NULL[0]: 5.5, NULL[1]: 5.5, NULL[2]: 5.5},
}
NOISE = (0.001, -0.001, 0.0, 0.0005, -0.0005)


def words(
    changes: Mapping[str, float] | None = None, flops: float = 100.0
) -> dict[str, VerdictLabel]:
    """Judge five runs an arm; `flops` are those of all experts, the dense model has 100."""
    records = [
        run(one.arm, one.seed, metrics=one.metrics, flops_per_token=flops)
        if one.arm == SIZED[8]
        else one
        for one in around(NOISE, **{**LOSS, **(changes or {})})
    ]
    return {one.claim: one.verdict for one in judge(CLAIMS_PICKS, records, "full")}


def test_a_world_as_the_account_claims() -> None:
    found = words()
    assert found.pop("N5-03") is VerdictLabel.REPRODUCED
    assert set(found.values()) == {VerdictLabel.PASSED}


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        # One expert is as good as any, whatever stays the same.
        (NOT, {"k_1": 2.82, "k_1_wide": 2.8}),
        (NOT, {"k_1": 2.825, "k_1_wide": 2.805}),  # or worse by half of the margin
        # For equal FLOPs alone it is as good.
        (VerdictLabel.PARTIAL, {"k_1_wide": 2.78}),
        # For equal FLOPs all experts are better than any smaller number: no saving is lost.
        (VerdictLabel.PARTIAL, {"k_8_narrow": 2.7}),
        # A control fails.
        (VerdictLabel.INCONCLUSIVE, {NULL[0]: 5.6}),
        (VerdictLabel.INCONCLUSIVE, {TINY: 2.8}),
    ],
)
def test_both_halves_count(word: VerdictLabel, changes: Mapping[str, float]) -> None:
    assert words(changes)["N5-03"] is word


def test_all_experts_must_be_as_dear_as_the_dense_model() -> None:
    assert words(flops=96.0)["N5-03"] is VerdictLabel.REPRODUCED
    assert words(flops=90.0)["N5-03"] is VerdictLabel.PARTIAL


@pytest.mark.parametrize("arms", [{1: "a"}, {2: "a", 1: "b"}])
def test_one_number_or_falling_ones_are_refused(arms: Mapping[int, str]) -> None:
    with pytest.raises(ValueError, match=r"sized=\[.*\]: needs two numbers of experts or more"):
        BestInBetween(sized=arms, equal={1: "c", 2: "d"})


def cost_of(experiment: Experiment) -> Cost:
    """Return what a batch costs, before any training."""
    model, data = experiment.build(logger=False)[:2]
    return model.cost(next(iter(data.train_dataloader())))


def test_what_is_to_be_equal_is_equal() -> None:
    """FLOPs over k, and those of all experts and the dense model."""
    configs = target("notes").configs
    small = {"data.init_args.batch_size": 2, "data.init_args.valid_batches": 1}
    made = {
        arm.name: load([configs / name for name in arm.configs], {**arm.settings, **small})
        for arm in ARMS_PICKS
        if not arm.twin_of
    }
    made[DENSE] = twin(made[SIZED[8]], "total_params").experiment
    cost = {name: cost_of(one) for name, one in made.items()}
    flops = {name: one.flops_per_token for name, one in cost.items()}
    for arms in (EQUAL_FLOPS.values(), (NULL[0], NULL[2]), (SIZED[8], DENSE)):
        first, *others = arms
        assert all(flops[other] == pytest.approx(flops[first], rel=0.05) for other in others)
    rising = [flops[name] for name in SIZED.values()]
    assert rising == sorted(set(rising))
    assert cost[DENSE].params_total == pytest.approx(cost[SIZED[8]].params_total, rel=0.05)


def test_finer_and_shared_experts_are_judged_as_by_their_paper() -> None:
    """Same test, controls and seeds, by the runs of that paper."""
    of_paper = {claim.key: claim for claim in TRAINED}
    for ours, theirs in zip(
        CLAIMS_GRANULARITY, ("DM24-01a", "DM24-01ap", "DM24-01an", "DM24-04"), strict=True
    ):
        assert ours.test == of_paper[theirs].test
        assert ours.seeds == of_paper[theirs].seeds
        assert ours.runs_of == "deepseek"
    losses = {"deepseek": 2.0, "gshard": 2.05, "gshard_quarter": 2.2}
    records = around(NOISE, **losses, one_source_deepseek=1.0, one_source_gshard=1.0)
    found = judge(CLAIMS_GRANULARITY[:3], [], "full", {"deepseek": records})
    assert [one.verdict for one in found] == [
        VerdictLabel.REPRODUCED,
        VerdictLabel.PASSED,
        VerdictLabel.PASSED,
    ]
