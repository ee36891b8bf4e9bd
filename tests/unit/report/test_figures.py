"""Curves and load maps by their marks and colours."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from moebench.report.paper import panels
from moebench.report.paper.figures import load_map
from moebench.report.paper.runs import Band, LoadMap
from moebench.report.theme import Stroke


def test_the_even_share_is_clear_and_colours_saturate_at_four_times() -> None:
    # Shares of 8 experts: none, even, twice even, five times even.
    share_SE = np.array([[0, 1 / 8, 2 / 8, 5 / 8, 0, 0, 0, 0]])
    svg = load_map([LoadMap("0", np.array([0.0]), share_SE)], "arm")
    encoded = svg.partition("base64,")[2].partition('"')[0]
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    column = np.array(image)[:, 0].astype(int)
    rows = column.reshape(8, -1, 4)[:, 0] if len(column) > 8 else column
    assert rows[0].tolist() == [0x35, 0x85, 0xC6, 255]
    assert rows[1][3] <= 2
    assert rows[2][3] == pytest.approx(128, abs=3)
    assert rows[3].tolist() == [0xD9, 0x62, 0x2B, 255]


def test_26_arms_are_told_apart() -> None:
    strokes = [Stroke(index) for index in range(26)]
    assert len({(stroke.variable, stroke.dash_array) for stroke in strokes}) == 26


def panels_of(**groups: list[str]) -> list[panels.Panel]:
    """The curves of arms `a` and `b` over 2, 3 and 4 steps, in these groups."""
    step, loss = np.array([2.0, 3.0, 4.0]), np.array([3.0, 2.5, 2.0])
    bands = dict.fromkeys("ab", Band(step, loss, loss, loss, seeds=1, seconds_per_step=0.1))
    strokes = {"a": Stroke(0), "b": Stroke(1)}
    axes = (panels.BY_STEPS, panels.BY_TIME)
    return panels.curves(bands, groups, strokes, "validation loss", axes)


@pytest.mark.parametrize(
    "groups",
    [
        {"all": ["a", "b"], "same": ["b", "a"], "part": ["a"], "none": ["c"]},
        {"part": ["a"], "none": ["c"], "all": ["a", "b", "c"]},
    ],
)
def test_a_group_whose_curves_another_group_has_is_left_out(groups: dict[str, list[str]]) -> None:
    assert [panel.title for panel in panels_of(**groups)] == ["all"]


def test_groups_that_differ_are_both_drawn_and_one_arm_once() -> None:
    first, second = panels_of(one=["a"], other=["b"])
    assert [len(first.charts), len(second.charts)] == [1, 1]


def test_there_is_no_half_training_step() -> None:
    [panel] = panels_of(all=["a", "b"])
    before = panel.charts[0].partition(">training steps<")[0]
    assert re.findall(r">([\d.]+)</text>", before) == ["2", "3", "4"]
