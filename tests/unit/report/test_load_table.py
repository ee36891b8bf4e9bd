"""The table of load over training, from what records keep."""

import re

import numpy as np
import pytest

from moebench.evidence.load_curve import BUSIEST
from moebench.evidence.record import RunRecord
from moebench.report.paper.load_table import load_table, mean_loads

from .fakes import record


def loaded(arm: str, seed: int, *loads: float, **changes: str) -> RunRecord:
    """A run of ten steps with these loads."""
    points = {f"{BUSIEST}@{step}": load for step, load in enumerate(loads, start=1)}
    return record(arm, seed, steps=10, metrics=points, **changes)


def numbers(svg: str) -> list[str]:
    """What is written in the middle of cells."""
    return re.findall(r"text-anchor: middle; fill: var\(--ink\)[^>]*>([^<]*)<", svg)


def test_seeds_are_averaged_and_arms_stay_in_order() -> None:
    of_a = [loaded("a", seed, *[1.0 + seed] * 10) for seed in (0, 1)]
    records = [*of_a, loaded("b", 0, *[4.0] * 10)]
    found = mean_loads(records, ["b", "a", "b", "dense"])
    assert {arm: row.tolist() for arm, row in found.items()} == {"b": [4.0] * 10, "a": [1.5] * 10}
    assert list(found) == ["b", "a"]


def test_only_finished_runs_of_the_arms_count() -> None:
    lost = loaded("a", 1, *[9.0] * 10, status="diverged")
    records = [loaded("a", 0, *[1.0] * 10), lost, loaded("other", 0, 3.0), record("dense")]
    assert list(mean_loads(records, ["a", "dense"])) == ["a"]
    assert mean_loads(records, ["a"])["a"].tolist() == [1.0] * 10


def test_a_part_without_points_is_left_empty() -> None:
    found = mean_loads([loaded("a", 0, 1.0, 2.0), loaded("a", 1, 3.0)], ["a"])["a"]
    assert found[:2].tolist() == [2.0, 2.0]
    assert np.isnan(found[2:]).all()
    assert numbers(load_table({"a": found})) == ["2.0", "2.0"]


def test_every_cell_has_its_number() -> None:
    row = np.array([1.0, 1.25, 1.96, 2.0, 4.0, 9.94, 9.96, 12.4, 64.0, 128.0])
    svg = load_table({"<one>": row, "two": np.ones(10)})
    assert numbers(svg)[:10] == ["1.0", "1.2", "2.0", "2.0", "4.0", "9.9", "10", "12", "64", "128"]
    assert numbers(svg)[10:] == ["1.0"] * 10
    assert "&lt;one&gt;</text>" in svg
    assert "one&gt; from 1 to 128; two from 1 to 1" in svg


def test_the_colour_says_how_far_from_even_and_four_times_is_full() -> None:
    svg = load_table({"a": np.array([2.0, 4.0, 8.0, *[np.nan] * 7])})
    cells = re.findall(r"fill: #d9622b(?:; (?:fill-)?opacity: ([\d.]+))?", svg)
    assert [float(one) for one in cells] == pytest.approx([0.375, 0.75, 0.75], abs=0.01)
