"""The tests that only this paper uses, on data with an obvious answer."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from moebench.papers.claim import ClaimTest
from moebench.testing.verdicts import NOISE, around, findings_of, run, runs, states
from moebench.verdict.findings import Findings
from reproductions.shazeer_2017.growth import GrowingSlope, MovingMinimum
from reproductions.shazeer_2017.judging import (
    EqualToAll,
    RankTrend,
    RatioAtTheEnd,
    Rows,
    WorseThanRest,
)


def judged(
    test: ClaimTest, means: Mapping[str, float | Mapping[str, float]], noise: float = 1
) -> Findings:
    """Judge five seeds per arm around its means; arms do not share noise."""
    return findings_of(test, around([noise * one for one in NOISE], **means))


ONE_WORLD = WorseThanRest(
    worlds={"facts": Rows(worse="none", others=("a", "b", "c"))}, margin=0.05, share=1 / 3
)


@pytest.mark.parametrize(
    ("means", "found"),
    [
        ((3.5, 3.0, 3.0, 3.01), ["holds", "holds"]),
        ((3.5, 3.0, 3.4, 3.0), ["holds", "refuted"]),
        ((3.0, 3.0, 3.0, 3.0), ["refuted", "open"]),
        ((2.5, 3.0, 3.0, 3.0), ["refuted", "refuted"]),
    ],
)
def test_one_row_is_worse_and_the_others_alike(means: tuple[float, ...], found: list[str]) -> None:
    verdict = judged(ONE_WORLD, dict(zip(("none", "a", "b", "c"), means, strict=True)))
    assert states(verdict) == found
    assert verdict.lead.state == found[0]
    gap = means[0] - sum(means[1:]) / 3
    assert verdict.lead.effect.estimate == pytest.approx(gap, abs=0.005)


AT_THE_END = RatioAtTheEnd(
    first="none",
    second="both",
    metric="end/cv",
    instead="cv",
    lacking="no end",
    factor=5.0,
    at_least=2.0,
)


def test_a_ratio_uses_the_end_if_all_records_have_it() -> None:
    means = {"none": {"cv": 1.0, "end/cv": 6.0}, "both": {"cv": 1.0, "end/cv": 1.0}}
    found = judged(AT_THE_END, means)
    assert (found.lead.state, found.caution) == ("holds", "")
    assert found.lead.says.startswith("end/cv of none")
    del means["both"]["end/cv"]
    found = judged(AT_THE_END, means)
    assert (found.lead.state, found.caution) == ("refuted", "no end")
    assert found.lead.says.startswith("cv of none")
    assert found.sides[0].says == "cv of none is at least 2"


def test_a_multiple_of_a_tiny_value_is_not_enough() -> None:
    small = judged(AT_THE_END, {"none": {"end/cv": 0.6}, "both": {"end/cv": 0.1}}, noise=0.1)
    assert states(small) == ["holds", "refuted"]
    large = judged(AT_THE_END, {"none": {"end/cv": 6.0}, "both": {"end/cv": 1.0}}, noise=0.1)
    assert states(large) == ["holds", "holds"]
    assert large.sides[0].effect.estimate == pytest.approx(6.0, abs=0.01)


def test_rows_may_differ_by_a_share_of_the_gap() -> None:
    # The gap is 3.5 - 3.1 = 0.4, a quarter of it 0.1; b lies 0.3 from both others.
    test = WorseThanRest(worlds={"facts": Rows(worse="none", others=("a", "b", "c"))}, share=0.25)
    [alike] = judged(test, {"none": 3.5, "a": 3.0, "b": 3.3, "c": 3.0}, noise=0.1).sides
    assert alike.effect.estimate == pytest.approx(0.2, abs=0.002)
    assert "0.3 nats apart" in alike.says
    assert "all 3 pairs of the others differ by less than 0.25 of that gap, 0.1 nats" in alike.says


def test_noise_alone_does_not_make_the_others_differ() -> None:
    """From largest to smallest of one seed would be 0.08 on average, two thirds of the gap."""
    rng = np.random.default_rng(0)
    test = WorseThanRest(worlds={"facts": Rows(worse="none", others=tuple("abcde"))}, share=1 / 3)
    refuted = 0
    for _ in range(100):
        means = {arm: 3.12 if arm == "none" else 3.0 for arm in test.arms}
        records = runs(**{arm: mean + 0.035 * rng.normal(size=5) for arm, mean in means.items()})
        [alike] = findings_of(test, records).sides
        refuted += alike.state == "refuted"
    assert refuted == 0


def test_each_world_is_a_choice_and_compared_within_itself() -> None:
    worlds = {
        "facts": Rows(worse="none", others=("a", "b")),
        "domains": Rows(worse="d_none", others=("d_a",)),
    }
    test = WorseThanRest(worlds=worlds, margin=0.05, share=1 / 3)
    found = judged(test, {"none": 3.5, "a": 3.0, "b": 3.0, "d_none": 9.0, "d_a": 9.0})
    assert [choice.choice for choice in found.choices] == ["facts", "domains"]
    assert states(found) == ["holds", "refuted", "holds"]
    assert found.lead.state == "open"
    assert list(test.pairs) == [("none", "a"), ("none", "b"), ("d_none", "d_a")]


SETTINGS = {"a": 0.0, "b": 0.01, "c": 0.1, "d": 1.0}


@pytest.mark.parametrize(
    ("means", "effect", "state"),
    [
        ((4.0, 3.0, 2.0, 1.0), -1.0, "holds"),
        ((4.0, 3.0, 1.0, 2.0), -0.8, "holds"),
        ((4.0, 2.0, 1.0, 3.0), -0.4, "refuted"),
        ((1.0, 2.0, 3.0, 4.0), 1.0, "refuted"),
    ],
)
def test_ranks_fall_with_the_setting(means: tuple[float, ...], effect: float, state: str) -> None:
    """With d the differences of ranks, rho is 1 - 6 sum d^2 / 60: -1, -0.8, -0.4, 1."""
    lead = judged(
        RankTrend(settings=SETTINGS, margin=0.8),
        dict(zip(SETTINGS, means, strict=True)),
    ).lead
    assert lead.effect.estimate == pytest.approx(effect)
    assert lead.state == state


RIVALS = EqualToAll(arm="moe", rivals=("wide", "deep"), margin=0.01)


def test_equal_to_all_its_rivals() -> None:
    assert judged(RIVALS, {"moe": 5.0, "wide": 5.0, "deep": 5.0}).lead.state == "holds"
    found = judged(RIVALS, {"moe": 5.0, "wide": 5.0, "deep": 4.0})
    assert found.lead.state == "refuted"
    assert found.lead.effect.estimate == pytest.approx(0.25, abs=0.01)
    assert "+25.0% from deep" in found.remark
    # Each is refuted with p = 0.04 or so: among two that is no refutation.
    assert judged(RIVALS, {"moe": 5.0, "wide": 5.0, "deep": 5.0}, noise=8).lead.state == "open"


SIZES, STEPS = {"four": 4, "sixteen": 16, "64": 64, "256": 256}, (100, 400)


def curves(loss: Callable[[float, int], float]) -> dict[str, dict[str, float]]:
    """The loss of each size at every number of steps."""
    return {
        arm: {f"valid/loss@{step}": loss(math.log2(size), step) for step in STEPS}
        for arm, size in SIZES.items()
    }


@pytest.mark.parametrize(("slope", "state"), [(0.02, "holds"), (-0.02, "refuted"), (0, "refuted")])
def test_more_data_make_the_slope_steeper(slope: float, state: str) -> None:
    found = curves(lambda size, step: 5 - slope * size * math.log2(step))
    lead = judged(GrowingSlope(sizes=SIZES, steps=STEPS, margin=0.01), found).lead
    assert lead.effect.estimate == pytest.approx(-slope, abs=0.003)
    assert lead.state == state


@pytest.mark.parametrize(
    ("best", "found"),
    [
        ({100: 4, 400: 6}, ["holds", "holds"]),
        ({100: 4, 400: 4}, ["holds", "refuted"]),
        ({100: 8, 400: 8}, ["refuted", "refuted"]),
        ({100: 2, 400: 6}, ["refuted", "holds"]),
    ],
)
def test_a_minimum_that_moves(best: Mapping[int, float], found: list[str]) -> None:
    """The loss is smallest at the size 2 ** best[step]."""
    rows = curves(lambda size, step: 4 + 0.05 * (size - best[step]) ** 2)
    verdict = judged(MovingMinimum(sizes=SIZES, steps=STEPS, margin=0.01), rows)
    assert states(verdict) == found
    if best == {100: 4, 400: 6}:
        assert verdict.sides[0].effect.estimate == pytest.approx(2.0)
        # Both ends are 0.2 worse than sixteen, or more.
        assert verdict.lead.effect.estimate == pytest.approx(0.2, abs=0.01)
        assert "sixteen is better than four and 256" in verdict.lead.says


@pytest.mark.parametrize(("between", "state"), [(1, "holds"), (6, "open")])
def test_the_best_of_several_must_be_so_much_clearer(between: int, state: str) -> None:
    """The same gap, of one size in between and of six, of which the best is picked."""
    gap = (0.02, 0.1, 0.05, 0.08, 0.12)
    arms = ["low", *(f"middle_{n}" for n in range(between)), "high"]
    records = [
        run(arm, seed, metrics={f"valid/loss@{s}": loss for s in STEPS})
        for arm in arms
        for seed, loss in enumerate(3 + more * (arm in ("low", "high")) for more in gap)
    ]
    test = MovingMinimum(sizes={arm: 2**n for n, arm in enumerate(arms)}, steps=STEPS)
    assert findings_of(test, records).lead.state == state


def test_without_common_seeds_all_is_open() -> None:
    for test in (
        ONE_WORLD,
        RIVALS,
        RankTrend(settings=SETTINGS, margin=0.8),
        GrowingSlope(sizes=SIZES, steps=STEPS),
        MovingMinimum(sizes=SIZES, steps=STEPS),
    ):
        assert set(states(findings_of(test, []))) == {"open"}


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="share=0"):
        WorseThanRest(worlds=ONE_WORLD.worlds, share=0)
    with pytest.raises(ValueError, match="other rows in every world"):
        WorseThanRest(worlds={"facts": Rows(worse="none", others=())}, share=0.5)
    with pytest.raises(ValueError, match="arms: needs at least one"):
        WorseThanRest(worlds={}, share=0.5)
    with pytest.raises(ValueError, match=r"margin=0\.0, settings="):
        RankTrend(settings=SETTINGS)
    with pytest.raises(ValueError, match=r"sizes=\[4, 4\]: needs two or more increasing"):
        GrowingSlope(sizes={"a": 4, "b": 4}, steps=STEPS)
    with pytest.raises(ValueError, match=r"steps=\[400, 100\]"):
        GrowingSlope(sizes=SIZES, steps=(400, 100))
    with pytest.raises(ValueError, match="needs one between the extremes"):
        MovingMinimum(sizes={"a": 4, "b": 8}, steps=STEPS)
