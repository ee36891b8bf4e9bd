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
from reproductions.glam_2021.claims_trained import EXPERTS, TRAINED
from reproductions.glam_2021.paper import CLAIMS
from reproductions.glam_2021.plan import PLAN

ARMS = sorted({arm for claim in TRAINED for arm in claim.arms})
AS_CLAIMED = {
    **{"narrow_moe": 3.4, "narrow_dense": 3.5, "wide_moe": 3.0, "wide_dense": 3.1},
    **{"large_source_moe": 3.0, "large_source_dense": 3.3},
    **dict(zip(EXPERTS, (3.5, 3.4, 3.3, 3.35, 3.45), strict=True)),
}


def words_in(final: Callable[[str], float]) -> dict[str, VerdictLabel]:
    """The word for every trained claim, where five seeds of each arm end at `final`."""
    rng = np.random.default_rng(0)
    records: list[RunRecord] = [
        run(arm, seed, final(arm) + rng.normal(scale=0.001))
        for arm in ARMS
        for seed in range(1000, 1005)
    ]
    return {found.claim: found.verdict for found in judge(TRAINED, records, "full")}


def as_claimed(arm: str) -> float:
    """The loss in the paper's world; one small source gives all the same."""
    return AS_CLAIMED.get(arm, 2.0)


def test_all_three_claims_are_there() -> None:
    keys = {claim.key[:7] for claim in CLAIMS if claim.of_paper}
    assert keys == {"GL21-01", "GL21-02", "GL21-03"}


def test_profiles_have_the_seeds_that_their_claims_ask_for() -> None:
    full, quick = PLAN.profile("full"), PLAN.profile("quick")
    for claim in TRAINED:
        assert all(full.seeds_of(arm) >= claim.seeds for arm in claim.arms), claim.key
    [headline] = [claim for claim in TRAINED if claim.key == "GL21-02"]
    assert all(quick.seeds_of(arm) >= headline.seeds for arm in headline.arms)
    controls = [claim for claim in TRAINED if claim.control_of == "GL21-02"]
    assert len(controls) == 2
    assert all(arm in quick.arms for control in controls for arm in control.arms)


def test_the_balance_loss_pulls_as_strongly_for_any_number_of_experts() -> None:
    for arm in PLAN.arms:
        if arm.name in EXPERTS:
            settings: dict[str, Any] = dict(arm.settings)
            [loss] = settings[LOSSES]
            assert loss["weight"] / EXPERTS[arm.name] ** 2 == pytest.approx(0.01)


def test_a_world_as_the_paper_claims_reproduces_all() -> None:
    passed = {claim.key: VerdictLabel.PASSED for claim in TRAINED if claim.control_of}
    expected = {claim.key: VerdictLabel.REPRODUCED for claim in TRAINED} | passed
    assert words_in(as_claimed) == expected


def test_a_world_the_other_way_round_reproduces_nothing() -> None:
    words = words_in(lambda arm: 6.0 - as_claimed(arm))
    assert words.pop("GL21-02n") is VerdictLabel.PASSED
    assert words.pop("GL21-02p") is VerdictLabel.FAILED
    assert words == {"GL21-02": VerdictLabel.INCONCLUSIVE, "GL21-03": VerdictLabel.NOT_REPRODUCED}


def test_a_null_control_in_which_the_mixture_wins_binds_its_claim() -> None:
    words = words_in(lambda arm: as_claimed(arm) - 0.1 * (arm == "one_source_moe"))
    assert words["GL21-02n"] is VerdictLabel.FAILED
    assert words["GL21-02"] is VerdictLabel.INCONCLUSIVE
