"""Figures by their marks and colours."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from moebench.report.paper.figures import Effect, forest, load_map
from moebench.report.paper.runs import (
    LoadMap,
)
from moebench.report.theme import Stroke

from .fakes import (
    VERDICTS,
)


def test_a_dollar_sign_is_no_formula() -> None:
    assert ">$x_1$</text>" in forest([Effect(VERDICTS[0], 0.0)], "$x_1$")


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
