"""What a reproduction shows in a terminal: verdicts, the paper's tables, where the report is.

Notices about the runs come first: a profile may have no claim that could carry them.
"""

from collections.abc import Sequence
from pathlib import Path

from moebench.cli.provenance import notices
from moebench.evidence.record_files import read
from moebench.papers import Target
from moebench.papers.plan import PaperTable
from moebench.report import tables as columns
from moebench.report.paper.own_tables import tables_of
from moebench.report.paper.verdict_table import table
from moebench.verdict import Verdict


def shown(found: Target, folder: Path, verdicts: Sequence[Verdict]) -> str:
    """Return verdicts, and the paper's tables with our figures beside its own, as text.

    Args:
        found: the target.
        folder: of its runs, with `results.jsonl` and the report.
        verdicts: on its claims.
    """
    records = read(folder / "results.jsonl")
    told = [line for note in notices(found, records) for line in columns.wrapped(note)]
    tables = [line for one in tables_of(found, records) for line in _paper_table(one)]
    return "\n".join([*told, table(verdicts), *tables, f"report: {folder / 'report.html'}"])


def _paper_table(paper: PaperTable) -> list[str]:
    """Return a table of the paper with its title and caption."""
    title = columns.wrapped(f"{paper.title}. {paper.caption}")
    align = "l" + "r" * (len(paper.head) - 1)
    return ["", *title, *columns.table(paper.head, paper.rows, align), ""]
