"""The figure of effects: statements, intervals, and the bars of what counts."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moebench.report.paper.forest import drawn_of, forest
from moebench.verdict import Verdict

from .fakes import VERDICTS


def test_a_dollar_sign_is_no_formula() -> None:
    assert ">effect ($x_1$)</text>" in forest(VERDICTS[:1], "$x_1$")


def test_text_has_the_font_of_the_page() -> None:
    svg = forest(VERDICTS[:1], "nats")
    assert "font-size" in svg
    assert "font-family" not in svg


def test_an_effect_stands_below_its_statement_which_leads_to_its_row() -> None:
    svg = forest(VERDICTS[:1], "nats")
    assert ">C1: Statement C1 &amp; more.</text>" in svg
    assert 'href="#C1"' in svg


def test_a_long_statement_takes_two_lines_and_no_more() -> None:
    says = " ".join(f"word{number}" for number in range(40))
    svg = forest([replace(VERDICTS[0], says=says)], "nats")
    lines = [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg) if "word" in text]
    assert len(lines) == 2
    assert lines[1].endswith(" …")


def bars(svg: str) -> list[tuple[float, float]]:
    """Left and right ends of the grey bars, in points."""
    found = re.findall(r'<path d="M (\S+) \S+ L (\S+) [^"]*"[^>]*opacity', " ".join(svg.split()))
    return [(float(left), float(right)) for left, right in found]


def marks(svg: str) -> list[float]:
    """Places of the marks from left to right, in points; ticks are in the colour of rules."""
    return [float(x) for x in re.findall(r'<use [^>]*x="(\S+)" [^>]*stroke: var\(--[^r]', svg)]


def lines(svg: str) -> list[tuple[float, float]]:
    """Ends of the intervals, in points."""
    found = re.findall(
        r'd="M (\S+) \S+ L (\S+) [^"]*"[^>]*stroke-width: 1.6', " ".join(svg.split())
    )
    return [(float(left), float(right)) for left, right in found]


SURE = replace(VERDICTS[1], claim="C2", effect=-0.2, low=-0.3, high=-0.1, unit="nats")


def test_a_bar_reaches_from_the_least_to_the_most_that_counts() -> None:
    svg = forest([replace(SURE, least=-0.3, most=-0.2)], "nats")
    [bar], [mark], [line] = bars(svg), marks(svg), lines(svg)
    assert bar == pytest.approx((line[0], mark), abs=0.01)


def test_a_bar_without_a_limit_reaches_the_end_of_the_axis() -> None:
    svg = forest([replace(SURE, most=-0.2)], "nats")
    [(left, right)], [mark], [line] = bars(svg), marks(svg), lines(svg)
    assert right == pytest.approx(mark, abs=0.01)
    assert left < line[0] - 5


def test_without_any_limit_there_is_no_bar() -> None:
    assert bars(forest([SURE], "nats")) == []


def test_what_would_count_is_in_sight_however_far_away() -> None:
    near, far = forest([SURE], "nats"), forest([replace(SURE, least=5.0)], "nats")
    [(left, right)] = bars(far)
    assert left < right
    assert lines(far)[0][1] - lines(far)[0][0] < 0.2 * (lines(near)[0][1] - lines(near)[0][0])


def ratios(*effects: float) -> Sequence[Verdict]:
    """Verdicts on ratios."""
    one = replace(SURE, unit="ratio of epochs")
    return [replace(one, effect=x, low=0.9 * x, high=1.1 * x) for x in effects]


def test_half_is_as_far_from_no_effect_as_double() -> None:
    half, one, double = marks(forest(ratios(0.5, 1.0, 2.0), "ratio of epochs"))
    assert double - one == pytest.approx(one - half, abs=0.01)
    assert double - one > 50


def test_far_ratios_have_round_ticks() -> None:
    svg = forest(ratios(0.1, 1.0, 40.0), "ratio of epochs")
    ticks = re.findall(r">([\d.]+)</text>", svg)
    assert {"0.1", "1", "10", "20"} <= set(ticks)


def test_a_ratio_below_zero_is_drawn_as_well() -> None:
    svg = forest([replace(ratios(1.0)[0], low=-0.5)], "ratio of epochs")
    assert len(marks(svg)) == 1


def test_only_what_has_an_interval_is_drawn() -> None:
    exact = replace(SURE, low=-0.2, high=-0.2, unit="share")
    open_ = replace(SURE, low=None, unit="nats a doubling")
    assert drawn_of([VERDICTS[2], exact, open_, SURE]) == {"nats": [SURE]}
