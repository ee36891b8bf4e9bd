"""The page as a file: whole, equal for equal input, and with nothing from elsewhere."""

import subprocess
import sys
from pathlib import Path

import pytest

from moebench import report

from .fakes import CLAIMS, GROUPS, HOSTILE, PAPER, VERDICTS, Page, make


def test_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert html.count("http") == 1
    assert ("href", "https://arxiv.org/abs/2101.03961") in page.attributes
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert "@import" not in html
    assert html.count("url(") == html.count("url(#")
    links = [value for name, value in page.attributes if name in {"src", "href", "xlink:href"}]
    assert all(link.startswith(("#", "data:image/png;base64,", "https://arxiv")) for link in links)


def test_a_hostile_name_stays_a_name(html: str) -> None:
    page = Page(html)
    assert page.words.count(HOSTILE) >= 2  # legend of the other arms, costs
    assert page.tags["script"] == page.tags["bold"] == 0
    assert "Other arms" in page.headings
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert any(f"{HOSTILE} ends at 3.5" in label for label in labels)


def test_figures_follow_the_theme(html: str) -> None:
    assert "#fe00" not in html
    assert "stroke: var(--arm-1)" in html
    assert "prefers-color-scheme: dark" in html


def test_equal_input_gives_an_equal_page(folder: Path, html: str) -> None:
    assert report.render(folder, PAPER, CLAIMS, VERDICTS, GROUPS) == html


def test_a_claim_without_verdict_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="C2, C3, C1n, C4: no verdict"):
        report.render(folder, PAPER, CLAIMS, VERDICTS[:1], GROUPS)


def test_write_keeps_the_old_page_when_it_fails(tmp_path: Path) -> None:
    path = report.write(make(tmp_path, []), PAPER, [], [], {})
    assert path == tmp_path / "report.html"
    before = path.read_text()
    assert "Every claim could be judged." in before
    with pytest.raises(ValueError, match="C1"):
        report.write(tmp_path, PAPER, CLAIMS, [], {})
    assert path.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.html", "results.jsonl"]


def test_drawing_libraries_wait_until_a_page_is_made() -> None:
    code = (
        "import sys, moebench.report; print({'matplotlib', 'jinja2', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
