"""Tests of claims about rows of a table and about sizes, on data where the answer is plain."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.verdict import Verdict, judge

NOISE = (0.01, -0.01, 0.0, 0.005, -0.005)


def runs(metric: str, means: Mapping[str, float], noise: float = 1.0) -> list[RunRecord]:
    """Five seeds of each arm; no two arms share their noise."""
    return [
        RunRecord(
            target="x",
            profile="full",
            arm=arm,
            seed=seed,
            status="finished",
            config_hash="",
            commit="",
            metrics={metric: mean + noise * NOISE[(seed + shift) % 5]},
        )
        for shift, (arm, mean) in enumerate(means.items())
        for seed in range(5)
    ]


def judged(records: list[RunRecord], test: str, arms: Sequence[str], **changes: Any) -> Verdict:
    given = {"key": "X-01", "says": "", "source": "", "paper_values": {}, "matched_on": "steps"}
    claim = Claim(**{**given, "test": test, "arms": tuple(arms), **changes})
    (verdict,) = judge([claim], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [condition["state"] for condition in verdict.conditions]


@pytest.mark.parametrize(
    ("means", "found", "word"),
    [
        ((3.5, 3.0, 3.0, 3.01), ["holds", "holds"], Word.REPRODUCED),
        ((3.5, 3.0, 3.3, 3.0), ["holds", "refuted"], Word.PARTIAL),
        ((3.0, 3.0, 3.0, 3.0), ["refuted", "refuted"], Word.NOT_REPRODUCED),
        ((2.5, 3.0, 3.0, 3.0), ["refuted", "refuted"], Word.NOT_REPRODUCED),
    ],
)
def test_one_row_is_worse_and_the_others_alike(means, found: list[str], word: Word) -> None:
    arms = ("none", "a", "b", "c")
    records = runs("valid/loss", dict(zip(arms, means, strict=True)))
    verdict = judged(records, "worse_than_rest", arms, margin=0.05, settings={"share": 1 / 3})
    assert states(verdict) == found
    assert verdict.verdict == word
    assert verdict.effect == pytest.approx(means[0] - sum(means[1:]) / 3, abs=0.005)


@pytest.mark.parametrize(
    ("first", "state"), [(0.8, "holds"), (0.5, "open"), (0.35, "open"), (0.15, "refuted")]
)
def test_so_many_times_as_large(first: float, state: str) -> None:
    records = runs("route/cv", {"none": first, "both": 0.1}, noise=0.5)
    limits = {"at_least": 5.0, "refuted_below": 2.0, "noted": ("route/cv",)}
    verdict = judged(
        records, "times_as_large", ("none", "both"), metric="route/cv", settings=limits
    )
    assert states(verdict) == [state]
    assert verdict.effect == pytest.approx(first / 0.1, rel=0.02)
    assert verdict.measured["both"]["route/cv"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("means", "effect", "state"),
    [
        ((4.0, 3.0, 2.0, 1.0), -1.0, "holds"),
        ((4.0, 3.0, 1.0, 2.0), -0.8, "holds"),
        ((4.0, 2.0, 1.0, 3.0), -0.4, "open"),
        ((4.0, 1.0, 2.0, 3.0), -0.2, "refuted"),
        ((1.0, 2.0, 3.0, 4.0), 1.0, "refuted"),
    ],
)
def test_ranks_fall_with_the_setting(means, effect: float, state: str) -> None:
    """With d the differences of ranks, rho is 1 - 6 sum d^2 / 60: -1, -0.8, -0.4, -0.2, 1."""
    arms = ("a", "b", "c", "d")
    records = runs("route/max_over_mean", dict(zip(arms, means, strict=True)))
    settings = {"values": (0.0, 0.01, 0.1, 1.0), "at_most": -0.8, "refuted_above": -0.4}
    verdict = judged(
        records, "rank_correlation", arms, metric="route/max_over_mean", settings=settings
    )
    assert verdict.effect == pytest.approx(effect)
    assert states(verdict) == [state]


@pytest.mark.parametrize(("fall", "word"), [(0.1, "reproduced"), (-0.1, "not reproduced")])
def test_a_slope_is_a_loss_a_doubling(fall: float, word: str) -> None:
    sizes = (4, 8, 16, 32)
    arms = [f"experts_{size}" for size in sizes]
    means = {arm: 5 - fall * math.log2(size) for arm, size in zip(arms, sizes, strict=True)}
    verdict = judged(runs("valid/loss", means), "slope", arms, settings={"sizes": sizes})
    assert verdict.effect == pytest.approx(-fall, abs=0.005)
    assert verdict.verdict == word


SIZES, STEPS = (4, 16, 64, 256), (100, 400)
ARMS = [f"experts_{size}" for size in SIZES]


def curves(loss) -> list[RunRecord]:
    """Five seeds of each size, with the loss at every number of steps."""
    records = []
    for step in STEPS:
        means = {arm: loss(math.log2(s), step) for arm, s in zip(ARMS, SIZES, strict=True)}
        records.append(runs(f"valid/loss@{step}", means))
    merged = zip(*records, strict=True)
    return [
        RunRecord(**{**vars(few), "metrics": {**few.metrics, **many.metrics}})
        for few, many in merged
    ]


@pytest.mark.parametrize(("sign", "word"), [(1, "reproduced"), (-1, "not reproduced")])
def test_more_data_make_the_slope_steeper(sign: int, word: str) -> None:
    found = curves(lambda size, step: 5 - 0.02 * sign * size * math.log2(step))
    settings = {"sizes": SIZES, "steps": STEPS}
    verdict = judged(found, "growing_slope", ARMS, settings=settings)
    assert verdict.effect == pytest.approx(-0.02 * sign, abs=0.003)
    assert verdict.verdict == word


def at(best: Mapping[int, float]):
    """A loss that is smallest at the size 2 ** best[step]."""
    return lambda size, step: 4 + 0.05 * (size - best[step]) ** 2


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
    settings = {"sizes": SIZES, "steps": STEPS}
    verdict = judged(curves(at(best)), "moving_minimum", ARMS, settings=settings, margin=0.01)
    assert states(verdict) == found
    if best == {100: 4, 400: 6}:
        moved = verdict.conditions[1]
        assert moved["effect"] == pytest.approx(2.0)
        # Both ends are 0.2 worse; the p of the nearer one counts twice, for two sizes in between.
        assert verdict.effect == pytest.approx(0.2, abs=0.01)


def test_the_best_of_several_must_be_so_much_clearer() -> None:
    """The same gap, of one size in between and of six, of which the best is picked."""
    gap = np.array([0.02, 0.1, 0.05, 0.08, 0.12])
    held = []
    for between in (1, 6):
        arms = ["low", *(f"middle_{n}" for n in range(between)), "high"]
        records = []
        for arm in arms:
            for seed in range(5):
                loss = 3.0 + gap[seed] if arm in ("low", "high") else 3.0
                [one] = runs("valid/loss@100", {arm: loss}, noise=0.0)[seed : seed + 1]
                metrics = {**one.metrics, "valid/loss@400": loss}
                records.append(RunRecord(**{**vars(one), "metrics": metrics}))
        sizes = [2**n for n in range(len(arms))]
        settings = {"sizes": sizes, "steps": STEPS}
        held.append(states(judged(records, "moving_minimum", arms, settings=settings))[0])
    assert held == ["holds", "open"]
