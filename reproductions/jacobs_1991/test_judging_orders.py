"""Claims over orders of the speakers: each order gives one value."""

from dataclasses import replace
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.testing.verdicts import verdict_of
from reproductions.jacobs_1991.judging import AboveOverOrders, FewerEpochsOverOrders
from reproductions.jacobs_1991.testing import runs


def ordered(system: str, *epochs: float) -> list[RunRecord]:
    """Runs of a system with one order of the speakers after the other."""
    return [
        one for order, mean in enumerate(epochs) for one in runs(f"{system}{order}", {5.0: mean})
    ]


def test_an_order_gives_one_value_however_many_runs_it_has() -> None:
    records = ordered("a", 100.0, 200.0, 300.0) + ordered("b", 400.0, 400.0, 400.0)
    systems = {name: tuple(f"{name}{order}" for order in range(3)) for name in "ab"}
    test = FewerEpochsOverOrders(systems=systems, step=5.0, factor=0.75)
    found = verdict_of(test, records)
    # Logarithms of 1/4, 1/2 and 3/4: their mean is log(3/32) / 3.
    assert (found.n, found.effect) == (3, pytest.approx((3 / 32) ** (1 / 3), rel=1e-2))
    assert found.high is None or found.high > 1, "three orders, not 75 runs"
    assert "from 0.25 to 0.75 in single orders" in found.why


def test_a_system_is_held_against_itself_in_two_halves() -> None:
    """Of 25 judged runs an order the even ones take 100 epochs and the odd ones 200."""
    records = [
        replace(one, metrics={**one.metrics, "step_5/epochs": 100.0 * (1 + one.seed % 2)})
        for one in ordered("a", 0.0, 0.0, 0.0)
    ]
    test = FewerEpochsOverOrders(systems={"a": ("a0", "a1", "a2")}, step=5.0, factor=0.75)
    found = verdict_of(test, records)
    assert found.n == 3
    assert found.effect in (pytest.approx(0.5), pytest.approx(2.0))
    assert test.pairs == []


def test_a_gap_within_runs_is_judged_over_orders() -> None:
    gaps = (0.02, 0.03, 0.01, -0.01)
    records = [
        one
        for order, gap in enumerate(gaps)
        for one in runs(f"a{order}", **{"accuracy/test": 0.9 + gap, "accuracy/train": 0.9})
    ]
    test = AboveOverOrders(
        quantity="accuracy/test",
        other="accuracy/train",
        systems={"a": ("a0", "a1", "a2")},
        step=5.0,
        beside=("a3",),
    )
    found = verdict_of(test, records)
    assert (found.n, found.effect) == (3, pytest.approx(0.02))
    # t of 0.975 with 2 degrees is 4.302653, the standard error 0.01 / sqrt(3).
    assert found.low == pytest.approx(0.02 - 4.302653 * 0.01 / 3**0.5, rel=1e-3)
    assert "true in 3 of 3 orders with a; not judged: -0.01 in a3" in found.why


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: AboveOverOrders(quantity="x", other="y", systems={"a": ("a",), "b": ()}),
            "one arm per order",
        ),
        (lambda: FewerEpochsOverOrders(systems={"a": ("a",)}, factor=1.5), "two systems"),
    ],
)
def test_systems_that_differ_in_their_orders_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
