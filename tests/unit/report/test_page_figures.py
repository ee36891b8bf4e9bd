"""The figures beside the page of a paper, as files."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from moebench.evidence.load_curve import BUSIEST
from moebench.report import FigureFile, page_figures
from moebench.report.theme import WIDTH

from .fakes import GROUPS, HOSTILE, VERDICTS, record, smallest_text

KEPT = record("switch", steps=10, metrics={f"{BUSIEST}@{step}": 2.0 for step in range(1, 11)})


@pytest.fixture(scope="module")
def figures() -> list[FigureFile]:
    """Those of verdicts in two units, and of one record that keeps its load."""
    more = replace(VERDICTS[1], claim="C9", says=HOSTILE)
    verdicts = [*VERDICTS, more, replace(more, claim="C10"), replace(more, claim="C11")]
    return page_figures(verdicts, [KEPT, record("dense")], GROUPS)


def test_the_unit_with_most_effects_comes_first_and_load_last(
    figures: list[FigureFile],
) -> None:
    names = [figure.name for figure in figures]
    assert names == ["figure_effects_ratio.svg", "figure_effects_nats.svg", "figure_load.svg"]
    assert figures[0].caption == figures[1].caption != figures[2].caption


def test_records_without_load_have_no_figure_of_it() -> None:
    assert page_figures([], [record("switch"), record("dense")], GROUPS) == []


def test_arms_in_no_group_are_drawn_and_points_of_a_search_are_not() -> None:
    others = [replace(KEPT, arm="other"), replace(KEPT, arm="search/a=1,b=2")]
    [load] = page_figures([], others, GROUPS)
    assert ">other</text>" in load.svg
    assert "search" not in load.svg


def test_a_file_is_whole_and_follows_the_theme(figures: list[FigureFile]) -> None:
    for figure in figures:
        root = ElementTree.fromstring(figure.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        light, dark = re.findall(r"svg\{(--page:[^}]*)\}", figure.svg)
        used = set(re.findall(r"var\((--[\w-]+)\)", figure.svg))
        for rules in (light, dark):
            assert set(re.findall(r"(--[\w-]+):#\w{6};", rules)) == used
        assert light != dark
        assert f"@media (prefers-color-scheme:dark){{svg{{{dark}" in figure.svg
        assert "#fe00" not in figure.svg


def test_nothing_leads_out_of_a_file(figures: list[FigureFile]) -> None:
    for figure in figures:
        assert "<a " not in figure.svg
        assert "</a>" not in figure.svg
        links = re.findall(r'href="([^"]*)"', figure.svg)
        assert all(link.startswith("#") for link in links)


def test_a_figure_has_an_edge_and_its_size_in_pixels(figures: list[FigureFile]) -> None:
    for figure in figures:
        head = figure.svg.partition(">")[0]
        x, y, width, height = map(float, re.findall(r'viewBox="([^"]*)"', head)[0].split())
        assert x == y < 0
        assert width == WIDTH - 2 * x
        lowest = max(float(place) for place in re.findall(r'<text [^>]* y="([\d.]+)"', figure.svg))
        assert lowest < height + 2 * y
        pixels = [float(re.findall(rf' {name}="(\d+)"', head)[0]) for name in ("width", "height")]
        assert pixels[0] / pixels[1] == pytest.approx(width / height, rel=0.01)


def test_text_can_be_read_on_a_phone(figures: list[FigureFile]) -> None:
    for figure in figures:
        assert smallest_text(figure.svg.replace('viewBox="-6 -6 ', 'viewBox="0 0 ')) >= 10


def test_equal_input_gives_equal_files(figures: list[FigureFile]) -> None:
    again = page_figures([one for one in VERDICTS if one.unit == "nats"], [], GROUPS)
    assert [one.svg for one in again] == [figures[1].svg]
