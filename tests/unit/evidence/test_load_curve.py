"""Load over training, from history to record and back."""

from typing import Any

import pytest

from moebench.evidence.load_curve import BUSIEST, PARTS, load_curve, load_points
from moebench.testing.verdicts import run


def logged(steps: int, every: int = 1) -> list[dict[str, Any]]:
    """A history in which the load is the number of the step, from 1 on."""
    return [{"step": s - 1, BUSIEST: float(s)} for s in range(1, steps + 1, every)]


def test_a_point_is_the_mean_over_the_tenth_that_ends_there() -> None:
    points = load_points(logged(20), 20)
    assert points == {f"{BUSIEST}@{2 * part}": 2 * part - 0.5 for part in range(1, 11)}


@pytest.mark.parametrize("steps", [1, 3, 9, 10, 11, 25, 400, 2003])
def test_what_a_record_keeps_is_read_again(steps: int) -> None:
    points = load_points(logged(steps), steps)
    assert len(points) == min(steps, PARTS)
    assert list(points)[-1] == f"{BUSIEST}@{steps}"
    curve = load_curve(run("a", 0, steps=steps, metrics={"valid/loss@1": 3.0, **points}))
    assert list(curve.values()) == list(points.values())
    assert list(curve)[-1] == PARTS
    assert steps < PARTS or list(curve) == list(range(1, PARTS + 1))


def test_a_part_without_a_line_has_no_point() -> None:
    assert list(load_points(logged(100, every=50), 100).values()) == [1.0, 51.0]
    assert load_points([{"step": 0, "train/loss": 1.0}], 1) == {}


def test_lines_after_the_last_step_are_none_of_training() -> None:
    assert load_points(logged(4), 2) == {f"{BUSIEST}@1": 1.0, f"{BUSIEST}@2": 2.0}


def test_older_records_have_no_curve() -> None:
    assert load_curve(run("a", 0, steps=9, metrics={BUSIEST: 2.0, "valid/loss@9": 1.0})) == {}
