"""Figures of an analysis: every line has a name, every colour a scale, and nothing is cut off."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from moebench.report.routing import figures

from .fakes import smallest_text


def texts(svg: str) -> list[str]:
    """What stands in a figure."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def numbers(svg: str) -> list[float]:
    """Its tick labels."""
    return [float(text) for text in texts(svg) if re.fullmatch(r"[\d.]+", text)]


def layer(first: float, disordered: float) -> dict[str, Any]:
    repeats = {"first": first, "first_null": 0.25, "first_se": 0.01}
    return {"repeats": repeats, "disordered": {"first": disordered}}


def test_repeats_name_their_lines_and_none_leaves_the_frame() -> None:
    svg = figures.repeats([layer(0.3, 0.9), layer(0.3, 0.8)], "first")
    assert {"as written", "by chance", "read in random order", "layer"} <= set(texts(svg))
    assert max(numbers(svg)) >= 80
    assert "0.5" not in texts(svg), "there is no half layer"


def saturation(layers: int) -> str:
    found = [{"saturation": 0.5, "chance": 0.25}] * layers
    return figures.saturation([{"model": f"step {n}", "layers": found} for n in range(3)])


def test_few_layers_have_names_and_many_a_colour_bar() -> None:
    assert {"layer 0", "layer 3", "by chance"} <= set(texts(saturation(4)))
    many = texts(saturation(20))
    assert "layer" in many
    assert "layer 0" not in many
    assert {"by chance", "0", "18"} <= set(many)


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (figures.specialisation, ([[0.5, 0.5], [0.9, 0.1]], ["art", "law"], 0)),
        (figures.together, ([[0.0, 0.5], [0.5, 0.0]], 0)),
        (figures.agreement, ([[1.0, 0.2], [0.2, 1.0]],)),
    ],
)
def test_a_colour_bar_says_what_it_measures(figure: Callable[..., str], shown: Any) -> None:
    svg = figure(*shown)
    assert {"share", "mutual information (0 to 1)"} & set(texts(svg))
    assert smallest_text(svg) >= 10
