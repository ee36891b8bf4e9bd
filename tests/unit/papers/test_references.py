"""BibTeX from what docstrings and papers say, and nothing besides."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.papers.claim import Paper
from moebench.papers.references import Reference, cited_in, merged, of_paper

PACKAGE = Path(__file__).parents[3] / "moebench"
PARTS = [path for family in ("moe", "models", "data") for path in (PACKAGE / family).rglob("*.py")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Source: Fedus, Zoph and Shazeer 2021 (arXiv\n2101.03961), section 2.1.",
            Reference("Fedus, Zoph and Shazeer", "2021", "2101.03961"),
        ),
        (
            "as in Jiang et al. 2024, Mixtral of experts (arXiv 2401.04088), Table 1",
            Reference("Jiang et al.", "2024", "2401.04088", name="Mixtral of experts"),
        ),
        (
            'Source: Jacobs, Jordan, Nowlan and Hinton 1991, "Adaptive mixtures", section 1.',
            Reference("Jacobs, Jordan, Nowlan and Hinton", "1991", title="Adaptive mixtures"),
        ),
        (
            "DeepSeek-AI 2024, DeepSeek-V2 (arXiv 2405.04434)",
            Reference("DeepSeek-AI", "2024", "2405.04434", name="DeepSeek-V2"),
        ),
    ],
)
def test_a_source_is_found_in_words(text: str, found: Reference) -> None:
    assert cited_in(text) == [found]


def test_what_has_neither_number_nor_title_is_no_source() -> None:
    assert not cited_in("as Radford et al. 2019 (GPT-2), section 2.2, have it since 2018")


def test_an_entry_has_what_is_known_and_no_more() -> None:
    assert Reference("Raffel et al.", "2020", "1910.10683").bibtex == (
        "@misc{raffel2020-1910.10683,\n"
        "  author = {Raffel and others},\n"
        "  year = {2020},\n"
        "  eprint = {1910.10683},\n"
        "  archiveprefix = {arXiv},\n"
        "  url = {https://arxiv.org/abs/1910.10683},\n"
        "}"
    )
    named = Reference("Qwen team", "2025", title="A report", name="Qwen3").bibtex
    assert "author = {{Qwen team}}" in named
    assert "title = {{A report}}" in named
    assert "note" not in named


def test_what_latex_would_take_for_a_command_is_escaped() -> None:
    paper = Paper(key="p", title="50% of R&D_1", authors="A. Nobody", year=2021, arxiv="2101.1")
    assert r"title = {{50\% of R\&D\_1}}," in of_paper(paper).bibtex
    assert "url = {https://arxiv.org/abs/a_b}" in Reference("A", "2021", "a_b").bibtex


def test_a_paper_that_is_reproduced_lends_its_title() -> None:
    paper = Paper(key="p", title="A long title", authors="Wu and Li", year=2020, arxiv="2001.00001")
    short = Reference("Wu et al.", "2020", "2001.00001", name="Short")
    [kept] = merged([of_paper(paper), short, short])
    assert (kept.title, kept.authors) == ("A long title", "Wu and Li")
    assert merged([short, of_paper(paper)]) == [of_paper(paper)]
    assert merged([short, replace(short, name="Longer")])[0].name == "Longer"


def test_every_number_that_a_part_names_as_its_source_is_found() -> None:
    lost = {}
    for path in PARTS:
        text = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
        source = text.partition("Source:")[2]
        numbers = set(re.findall(r"\(arXiv (\d{4}\.\d{4,5})\)", source))
        if unread := numbers - {one.arxiv for one in cited_in(source)}:
            lost[str(path.relative_to(PACKAGE))] = unread
    assert not lost, "say authors and year before the number"
