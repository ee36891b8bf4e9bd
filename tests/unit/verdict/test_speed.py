"""How soon an arm reaches the loss of another, with straight curves."""

from dataclasses import replace

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import NOISE, run, states, verdict_of
from moebench.verdict.paired_runs import curve
from moebench.verdict.speed import Scale, StepsToLoss, steps_until

OTHER = (0.0, 0.005, -0.01, -0.005, 0.01)


def falling(arm: str, slope: float, seconds: float = 0.1) -> list[RunRecord]:
    """Curves 10 - slope * step, validated every 20 of 100 steps; seeds differ by a little."""
    return [
        run(
            arm,
            seed,
            steps=100,
            tokens=1000,
            tokens_per_second=10 / seconds,
            metrics={
                f"valid/loss@{step}": 10 - slope * (1 + noise) * step for step in range(20, 101, 20)
            },
        )
        for seed, noise in enumerate(NOISE if arm == "base" else OTHER)
    ]


BASE = falling("base", 0.05)  # ends at 5


def test_steps_are_interpolated() -> None:
    points = {"valid/loss@10": 4.0, "valid/loss@20": 2.0, "valid/loss@100": 1.0}
    steps, losses = curve(run("a", metrics=points))
    assert steps_until(steps, losses, 3.0) == pytest.approx(15.0)
    assert steps_until(steps, losses, 2.0) == pytest.approx(20.0)
    assert steps_until(steps, losses, 1.5) == pytest.approx(60.0)
    assert steps_until(steps, losses, 5.0) == pytest.approx(10.0)
    assert steps_until(steps, losses, 0.5) is None


def test_before_the_first_step_there_is_no_point() -> None:
    untrained = {"valid/loss@100": 1.0, "valid/loss@0": 4.0, "valid/loss@20": 2.0}
    assert steps_until(*curve(run("a", metrics=untrained)), 3.0) == pytest.approx(20.0)


def test_twice_the_slope_needs_half_the_steps() -> None:
    records = BASE + falling("a", 0.06) + falling("b", 0.1) + falling("c", 0.2)
    test = StepsToLoss(base="base", arm="b", others=("a", "b", "c"), at_least=1.5, monotone=-0.8)
    found = verdict_of(test, records)
    assert (states(found), found.verdict) == (["holds"] * 2, VerdictLabel.REPRODUCED)
    assert found.effect == pytest.approx(2.0, rel=0.01)
    assert found.measured["c"]["steps_ratio"] == pytest.approx(4.0, rel=0.01)
    assert test.arms == ("base", "a", "b", "c")
    assert ("a", "base") in test.pairs


def test_a_ratio_too_small_to_count_is_refuted() -> None:
    test = StepsToLoss(base="base", arm="a", at_least=1.5)
    found = verdict_of(test, BASE + falling("a", 0.06))
    assert (found.verdict, found.effect) == (
        VerdictLabel.NOT_REPRODUCED,
        pytest.approx(1.2, rel=0.01),
    )
    assert "present, but too small to count" in found.why


def test_a_row_that_rises_is_a_side_that_fails() -> None:
    records = BASE + falling("a", 0.1) + falling("b", 0.06)
    test = StepsToLoss(base="base", arm="a", others=("a", "b"), monotone=-0.8)
    found = verdict_of(test, records)
    assert (states(found), found.verdict) == (["holds", "refuted"], VerdictLabel.PARTIAL)


def test_time_counts_the_length_of_a_step() -> None:
    records = BASE + falling("a", 0.1, seconds=0.4)
    test = StepsToLoss(base="base", arm="a", scales=("steps", "seconds"))
    found = verdict_of(test, records)
    assert (states(found), found.verdict) == (["holds", "refuted"], VerdictLabel.PARTIAL)
    assert found.conditions[1]["effect"] == pytest.approx(0.5, rel=0.01)
    longer = [replace(one, steps=200, tokens=2 * one.tokens) for one in records[5:]]
    assert verdict_of(test, BASE + longer, matched_on=None).conditions == found.conditions


def test_the_figure_is_for_the_first_scale_and_any_gain_suffices_on_the_other() -> None:
    test = StepsToLoss(base="base", arm="a", scales=("seconds", "steps"), at_least=2.5)
    sooner = verdict_of(test, BASE + falling("a", 0.1, seconds=0.05))
    assert (states(sooner), sooner.verdict) == (["holds", "holds"], VerdictLabel.REPRODUCED)
    assert (sooner.effect, sooner.conditions[1]["effect"]) == pytest.approx((4, 2), rel=0.01)
    late = verdict_of(test, BASE + falling("a", 0.1))
    assert (states(late), late.verdict) == (["refuted", "holds"], VerdictLabel.NOT_REPRODUCED)


def test_times_of_two_machines_are_not_compared() -> None:
    base = [replace(one, hardware={"processor": "A"}) for one in falling("base", 0.01)]
    arm = [replace(one, hardware={"processor": "B"}) for one in falling("arm", 0.02)]
    test = StepsToLoss(base="base", arm="arm", scales=("steps", "seconds"))
    found = verdict_of(test, base + arm)
    assert [one["state"] for one in found.conditions] == ["holds", "open"]
    assert "timed on several machines" in found.why
    assert found.verdict is VerdictLabel.PARTIAL


def verdict_on(arm: list[RunRecord], scale: Scale) -> tuple[VerdictLabel, str, float | None]:
    """The verdict on an arm that is slow, its unit and its effect."""
    found = verdict_of(StepsToLoss(base="base", arm="a", scales=(scale,)), BASE + arm)
    assert "5 of 5 runs never do" in found.why
    assert found.measured["a"]["not_reached"] == 5
    return found.verdict, found.unit, found.effect


@pytest.mark.parametrize("scale", ["steps", "seconds"])
def test_an_arm_above_the_loss_after_equal_training_needs_more(scale: Scale) -> None:
    word, unit, effect = verdict_on(falling("a", 0.049), scale)
    assert (word, unit) == (VerdictLabel.NOT_REPRODUCED, "nats above it")
    assert effect == pytest.approx(0.1)  # 10 - 4.9 against 10 - 5


def test_an_arm_with_fewer_steps_may_still_get_there() -> None:
    shorter = [
        replace(one, metrics={k: v for k, v in one.metrics.items() if k != "valid/loss@100"})
        for one in falling("a", 0.049)
    ]
    word, unit, effect = verdict_on(shorter, "steps")
    assert (word, unit) == (VerdictLabel.INCONCLUSIVE, "ratio")
    assert effect == pytest.approx(100 / 80)  # an upper bound


def test_a_bound_on_time_can_refute_but_not_support() -> None:
    """Shorter steps may get there sooner with more steps."""
    fast, slow = falling("a", 0.049, seconds=0.01), falling("a", 0.049, seconds=1.0)
    assert verdict_on(fast, "seconds")[:2] == (VerdictLabel.INCONCLUSIVE, "ratio")
    word, _, bound = verdict_on(slow, "seconds")
    assert (word, bound) == (VerdictLabel.NOT_REPRODUCED, pytest.approx(0.1, rel=0.02))
    test = StepsToLoss(base="base", arm="a", scales=("seconds",), at_least=7.0)
    told = verdict_of(test, BASE + falling("a", 0.049, seconds=0.05)).why
    assert (
        "in at least 7 times fewer seconds (5 of 5 runs never do: the ratio is an upper bound): "
        "refuted, 2 ratio" in told
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arm": "base"}, "arm=base: compared with itself"),
        ({"at_least": 0.0}, "at_least=0.0: must be above 0"),
        ({"scales": ()}, "one or more of steps, seconds"),
        ({"scales": ("hours",)}, "one or more of steps, seconds"),
        ({"monotone": 0.8}, "monotone=0.8: must be at least -1 and below 0"),
    ],
)
def test_bad_arguments_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepsToLoss(**{"base": "base", "arm": "a", **fields})  # type: ignore[arg-type]
