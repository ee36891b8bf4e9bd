"""The claims about the size and the number of experts: what they compare, and what decides them."""

from collections.abc import Mapping

import pytest

from moebench.experiment import Experiment, load
from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import around
from moebench.training.cost import Cost
from moebench.verdict import judge
from reproductions.deepseekmoe_2024.claims import TRAINED
from reproductions.source_notes.granularity_claims import CLAIMS_GRANULARITY
from reproductions.source_notes.picks_claims import (
    ARMS_PICKS,
    CLAIMS_PICKS,
    NULL,
    ONE,
    PICKS,
    TINY,
)
from reproductions.source_notes.picks_judging import WorseThanBest

NOT = VerdictLabel.NOT_REPRODUCED
LOSS = {
    **dict(zip(PICKS.values(), (2.85, 2.83, 2.82, 2.84), strict=True)),
    **{TINY: 3.2, NULL[1]: 5.5, NULL[8]: 5.5},
}
NOISE = (0.001, -0.001, 0.0, 0.0005, -0.0005)


def words(**changes: float) -> dict[str, VerdictLabel]:
    """Judge five runs an arm."""
    records = around(NOISE, **{**LOSS, **changes})
    return {one.claim: one.verdict for one in judge(CLAIMS_PICKS, records, "full")}


def test_a_world_as_the_account_claims() -> None:
    found = words()
    assert found.pop("N5-03") is VerdictLabel.REPRODUCED
    assert set(found.values()) == {VerdictLabel.PASSED}


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        (NOT, {ONE: 2.82}),  # one is as good as the best
        (NOT, {ONE: 2.825}),  # or worse by half of the margin
        # One better number is enough, whichever it is.
        (VerdictLabel.REPRODUCED, {"k_4_of_32": 2.9, "k_8_of_64": 2.9}),
        (VerdictLabel.REPRODUCED, {"k_2_of_16": 2.9, "k_4_of_32": 2.9, "k_8_of_64": 2.8}),
        # A control fails.
        (VerdictLabel.INCONCLUSIVE, {NULL[1]: 5.6}),
        (VerdictLabel.INCONCLUSIVE, {TINY: 2.8}),
    ],
)
def test_one_is_held_against_the_best(word: VerdictLabel, changes: Mapping[str, float]) -> None:
    assert words(**changes)["N5-03"] is word


def test_without_others_there_is_no_best() -> None:
    with pytest.raises(ValueError, match="others: needs at least one arm"):
        WorseThanBest(first="a", others=())


def cost_of(experiment: Experiment) -> Cost:
    """Return what a batch costs, before any training."""
    model, data = experiment.build(logger=False)[:2]
    return model.cost(next(iter(data.train_dataloader())))


def test_what_is_to_be_equal_is_equal() -> None:
    """FLOPs and parameters, whatever k is."""
    configs = target("notes").configs
    small = {"data.init_args.batch_size": 2, "data.init_args.valid_batches": 1}
    cost = {
        arm.name: cost_of(load([configs / name for name in arm.configs], {**arm.settings, **small}))
        for arm in ARMS_PICKS
    }
    for arms in (PICKS, NULL):
        first, *others = (cost[name] for name in arms.values())
        for other in others:
            assert other.flops_per_token == pytest.approx(first.flops_per_token, rel=0.05)
            assert other.params_total == pytest.approx(first.params_total, rel=0.05)
            assert other.params_active == pytest.approx(first.params_active, rel=0.05)
    assert cost[TINY].flops_per_token < 0.9 * cost[ONE].flops_per_token


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
