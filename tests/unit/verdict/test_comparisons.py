"""Tests that compare means of arms, on runs with an obvious answer."""

from typing import Any

import pytest

from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.testing.verdicts import around, run, runs, states, verdict_of
from moebench.verdict.comparisons import Difference, Equivalence, NoWorse, Order

A_BELOW_B = Difference(first="a", second="b", margin=0.1)
# Differences -1.0, -1.1, -0.9: mean -1, sd 0.1, so t = 17.3 with 2 degrees of freedom.
BETTER = runs(a=[1.0, 1.9, 2.6], b=[2.0, 3.0, 3.5])


def test_a_difference_by_hand() -> None:
    found = verdict_of(A_BELOW_B, BETTER)
    half = 4.302653 * 0.1 / 3**0.5  # the 97.5% quantile of t with 2 degrees of freedom
    assert (found.verdict, found.n, found.unit) == (VerdictLabel.REPRODUCED, 3, "nats")
    assert (found.effect, found.low, found.high) == (
        pytest.approx(-1.0),
        pytest.approx(-1.0 - half, abs=1e-6),
        pytest.approx(-1.0 + half, abs=1e-6),
    )
    assert (found.least, found.most) == (None, -0.1)
    t = (1.0 - 0.05) / (0.1 / 3**0.5)  # from half of the margin
    assert found.p == pytest.approx(1 - t / (2 + t * t) ** 0.5)


@pytest.mark.parametrize(
    ("differences", "word", "reading"),
    [
        ([-1.0, -1.1, -0.9], VerdictLabel.REPRODUCED, ""),
        ([1.0, 1.1, 0.9], VerdictLabel.NOT_REPRODUCED, "in the opposite direction"),
        ([0.01, -0.01, 0.0], VerdictLabel.NOT_REPRODUCED, "no effect large enough to count"),
        ([-0.01, -0.011, -0.009], VerdictLabel.NOT_REPRODUCED, "present, but too small to count"),
        ([-0.09, -0.091, -0.092], VerdictLabel.NOT_REPRODUCED, "present, but too small to count"),
        ([-0.09, -0.08, -0.11], VerdictLabel.INCONCLUSIVE, "present; unclear whether it counts"),
        ([-0.2, -0.1, -0.06], VerdictLabel.INCONCLUSIVE, ""),  # counts, and may be nought
        ([0.5, -0.5, 0.0], VerdictLabel.INCONCLUSIVE, ""),
    ],
)
def test_labels_of_a_difference(differences: list[float], word: VerdictLabel, reading: str) -> None:
    found = verdict_of(A_BELOW_B, runs(a=[2 + d for d in differences], b=[2.0] * 3))
    assert (found.verdict, found.conditions[0]["remark"]) == (word, reading)
    higher = Difference(first="a", second="b", direction="higher", margin=0.1)
    mirrored = verdict_of(higher, runs(a=[2 - d for d in differences], b=[2.0] * 3))
    assert (mirrored.verdict, mirrored.conditions[0]["remark"]) == (word, reading)
    assert mirrored.effect == pytest.approx(-(found.effect or 0.0))


def test_pairs_are_formed_by_seed() -> None:
    # Unpaired the arms overlap wholly; paired the difference is -0.1 each time.
    records = runs(a=[1.0, 5.0, 9.0], b=[1.1001, 5.1002, 9.1])
    assert verdict_of(A_BELOW_B, list(reversed(records))).verdict is VerdictLabel.REPRODUCED


def test_a_point_of_the_curve_is_interpolated() -> None:
    points = {"a": (4.0, 2.0), "b": (6.0, 3.0)}
    records = [
        run(arm, seed, metrics={"valid/loss@20": early, "valid/loss@60": late})
        for arm, (early, late) in points.items()
        for seed in range(3)
    ]
    found = verdict_of(Difference(first="a", second="b", metric="valid/loss@50"), records)
    assert found.effect == pytest.approx(2.5 - 3.75)
    outside = verdict_of(Difference(first="a", second="b", metric="valid/loss@500"), records)
    assert (outside.verdict, outside.n) == (VerdictLabel.INCONCLUSIVE, 0)


@pytest.mark.parametrize(
    ("a", "margin", "word"),
    [
        (2.0, 0.05, VerdictLabel.REPRODUCED),
        (2.5, 0.05, VerdictLabel.NOT_REPRODUCED),
        (1.5, 0.05, VerdictLabel.NOT_REPRODUCED),
        (2.0, 0.001, VerdictLabel.INCONCLUSIVE),
    ],
)
def test_equivalence(a: float, margin: float, word: VerdictLabel) -> None:
    test = Equivalence(first="a", second="b", margin=margin)
    assert verdict_of(test, around(a=a, b=2)).verdict is word


def test_relative_equivalence_divides_by_the_second_arm() -> None:
    records = around(a=10.2, b=10.0)
    relative = Equivalence(first="a", second="b", margin=0.05, relative=True)
    found = verdict_of(relative, records)
    assert (found.verdict, found.effect) == (VerdictLabel.REPRODUCED, pytest.approx(0.02, abs=1e-4))
    absolute = Equivalence(first="a", second="b", margin=0.05)
    assert verdict_of(absolute, records).verdict is VerdictLabel.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("a", "word"),
    [
        (1.0, VerdictLabel.REPRODUCED),
        (2.0, VerdictLabel.REPRODUCED),
        (2.5, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_no_worse(a: float, word: VerdictLabel) -> None:
    test = NoWorse(first="a", second="b", margin=0.05)
    assert verdict_of(test, around(a=a, b=2.0)).verdict is word


def test_without_a_lead_an_order_is_about_all_neighbours() -> None:
    test = Order(ordered=("c", "b", "a"), margin=0.05)
    assert test.pairs == [("c", "b"), ("b", "a")]
    held = verdict_of(test, around(a=3, b=2, c=1))
    assert (held.verdict, states(held)) == (VerdictLabel.REPRODUCED, ["holds"])
    broken = verdict_of(test, around(a=3, b=2, c=2.5))
    assert broken.verdict is VerdictLabel.NOT_REPRODUCED
    assert "(refuted by: c has a lower valid/loss than b)" in broken.why


def test_only_the_leading_pair_can_refute_an_order() -> None:
    test = Order(ordered=("a", "b", "c"), direction="higher", lead=("a", "b"), margin=0.05)
    tail = verdict_of(test, around(a=3, b=2, c=2.5))
    assert (states(tail), tail.verdict) == (["holds", "refuted"], VerdictLabel.PARTIAL)
    assert verdict_of(test, around(a=1, b=2, c=1)).verdict is VerdictLabel.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (Difference, {"first": "a", "second": "a"}, "arm=a: compared with itself"),
        (Difference, {"first": "a", "second": "b", "margin": -1.0}, "margin=-1.0: must be at"),
        (
            Difference,
            {"first": "a", "second": "b", "direction": "lowr"},
            "direction=lowr: unknown; one of lower, higher",
        ),
        (Equivalence, {"first": "a", "second": "b"}, "margin=0: must be above 0"),
        (Order, {"ordered": ("a",)}, "needs two arms or more"),
        (Order, {"ordered": ("a", "b", "c"), "lead": ("a", "c")}, "not neighbours in a, b, c"),
    ],
)
def test_bad_arguments_are_refused(
    kind: type[ClaimTest], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**fields)


def test_a_field_that_is_missing_or_misspelt_is_refused() -> None:
    with pytest.raises(TypeError, match="second"):
        Difference(first="a")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="sedonc"):
        Difference(first="a", sedonc="b")  # type: ignore[call-arg]
