"""Records and verdicts for readers: one self-contained page, and blocks of Markdown.

The page loads no script, font or picture from elsewhere. Equal input gives an equal page.
matplotlib and jinja2 are imported only when a page is made.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_whole
from moebench.papers.claim import Claim, Paper
from moebench.papers.dispute import Dispute
from moebench.papers.plan import PaperTable
from moebench.report.paper.disputes import markdown_disputes
from moebench.report.paper.drawing import Drawing, FigureFile
from moebench.report.paper.markdown import (
    fill,
    markdown_costs,
    markdown_counts,
    markdown_figures,
    markdown_paper_table,
    markdown_reasons,
    markdown_story,
    markdown_table,
    told_counts,
)
from moebench.report.paper.statements import picture
from moebench.report.paper.text_overlap import overlaps
from moebench.verdict import Verdict

__all__ = [
    "Drawing",
    "FigureFile",
    "fill",
    "markdown_costs",
    "markdown_counts",
    "markdown_disputes",
    "markdown_figures",
    "markdown_paper_table",
    "markdown_reasons",
    "markdown_story",
    "markdown_table",
    "overlaps",
    "page_figures",
    "picture",
    "render",
    "sweep_table",
    "told_counts",
    "write",
    "write_sweep",
]


def render(
    folder: Path,
    paper: Paper,
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    groups: Mapping[str, Sequence[str]],
    drawings: Sequence[Drawing] = (),
    tables: Sequence[PaperTable] = (),
    notices: Sequence[str] = (),
    disputes: Sequence[Dispute] = (),
) -> str:
    """Return the page about the runs in a folder, as HTML.

    Args:
        folder: with `results.jsonl` and, where there is one, `<arm>/seed_<n>/history.jsonl`.
        paper: where the claims come from.
        claims: in the order in which the page shows them.
        verdicts: one a claim.
        groups: title -> arms that share a figure; arms of no group share one of their own.
        drawings: figures of this paper alone.
        tables: tables of this paper alone.
        notices: sentences that stand before all figures, such as that the data are out of date.
        disputes: between papers, judged by these claims.

    Raises:
        FileNotFoundError: if the folder has no `results.jsonl`.
        ValueError: for a file that cannot be read, or a claim without a verdict.
    """
    from moebench.report.paper.page import page

    return page(folder, paper, claims, verdicts, groups, drawings, tables, notices, disputes)


def write(
    folder: Path,
    paper: Paper,
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    groups: Mapping[str, Sequence[str]],
    drawings: Sequence[Drawing] = (),
    tables: Sequence[PaperTable] = (),
    notices: Sequence[str] = (),
    disputes: Sequence[Dispute] = (),
) -> Path:
    """Write the page to `report.html` in the folder, whole or not at all; return its path.

    Takes and raises what `render` does.
    """
    path = folder / "report.html"
    rest = (drawings, tables, notices, disputes)
    write_whole(path, render(folder, paper, claims, verdicts, groups, *rest))
    return path


def page_figures(
    verdicts: Sequence[Verdict], records: Sequence[RunRecord], groups: Mapping[str, Sequence[str]]
) -> list[FigureFile]:
    """Return the figures beside the page of a paper, in the order in which it shows them.

    Args:
        verdicts: on all claims; those without an interval are not drawn.
        records: of the paper; load over training is drawn if they keep it.
        groups: title -> arms that belong together.
    """
    from moebench.report.paper.page_figures import page_figures as drawn

    return drawn(verdicts, records, groups)


def write_sweep(folder: Path) -> Path:
    """Write the page of the sweep in a folder to its `report.html`, its figures to `plots/`.

    Raises:
        FileNotFoundError: if the folder has no `sweep.json`.
    """
    from moebench.report.sweep.page import sweep_page, write_plots
    from moebench.report.sweep.summary import read_summary

    path, summary = folder / "report.html", read_summary(folder)
    write_whole(path, sweep_page(summary))
    write_plots(summary, folder / "plots")
    return path


def sweep_table(folder: Path) -> str:
    """Return winner and dense baselines of the sweep in a folder as lines of text.

    Raises:
        FileNotFoundError: if the folder has no `sweep.json`.
    """
    from moebench.report.sweep.page import sweep_table as table

    return table(folder)
