"""What the pages say is where they say it: links, files, steps through the code, and words."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from moebench.moe.metrics import METRICS
from moebench.papers.claim import VerdictLabel
from moebench.report.comparison import page as comparison
from moebench.report.paper import costs, disputes, markdown, verdict_table
from moebench.report.routing import page as routing
from moebench.report.sweep import page as sweep

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for folder in (".", "docs", "benchmarks", "moebench", "reproductions")
    for path in (ROOT / folder).glob("*.md" if folder in (".", "docs") else "**/*.md")
)
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
STEP = re.compile(r"^\d+\. `([^`]+)`(?:, `(\w+)`)?: ", re.MULTILINE)
STEPS = STEP.findall(ARCHITECTURE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


@pytest.mark.parametrize(("path", "name"), STEPS, ids=lambda value: value)
def test_a_step_is_in_the_code(path: str, name: str) -> None:
    text = (ROOT / path).read_text()
    assert not name or re.search(rf"(?m)^\s*(def|class) {name}\b|^{name}\b[^=\n]* = ", text)


def test_a_walk_has_ten_steps_at_most() -> None:
    walks = {title: STEP.findall(part) for title, part in parts(ARCHITECTURE).items()}
    assert {title: len(walk) for title, walk in walks.items() if not 0 < len(walk) <= 10} == {}
    assert len(walks["Six files to read first"]) == 6


def parts(text: str) -> dict[str, str]:
    """Heading -> what stands under it."""
    return dict(part.split("\n", 1) for part in text.split("\n## ")[1:])


def test_the_front_page_is_short_and_leads_to_every_guide() -> None:
    front = ROOT / "README.md"
    assert len(front.read_text().splitlines()) <= 150
    linked = {first.partition("#")[0] for first, _ in LINK.findall(prose(front))}
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in [first or second for first, second in LINK.findall(prose(page))]:
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


@cache
def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The names by which GitHub lets a link lead to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_map_has_what_is_there() -> None:
    """Every folder of the checkout, and no file or folder that is none."""
    [drawn] = re.findall(
        r"^## Map\n\n```\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    named: list[Path] = []
    for line in drawn.splitlines():
        folder = ROOT / "moebench" if line.startswith("  ") else ROOT
        names = re.split(" {2,}", line.strip())[0]
        named += [folder / name for name in names.split()]
    assert [path for path in named if not path.is_dir()] == []
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    folders = {path.partition("/")[0] for path in listed if "/" in path and path[0] != "."}
    assert folders <= {path.name for path in named}


def test_the_glossary_has_every_word_of_tables() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    cells = [
        line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line[:2] == "| "
    ]
    known = {plain(word) for cell in cells for word in cell.split(", ")}
    heads = [markdown.COLUMNS, (markdown.ADJUSTED,), verdict_table.HEAD, verdict_table.COST_HEAD]
    heads += [costs.HEAD, disputes.HEAD, comparison.HEAD, sweep.HEAD, routing.HEAD]
    words = {plain(title) for head in heads for title in head} | set(map(plain, VerdictLabel))
    words |= {f"route/{name}" for name in METRICS}
    assert words - known == set()


def plain(word: str) -> str:
    """A word without brackets, code and the ending of a plural."""
    return re.sub(r" \(.*\)|`", "", word).strip().removesuffix("s")
