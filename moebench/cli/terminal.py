"""What a reproduction shows in a terminal: first words, disputes, verdicts, tables, the report.

Notices about the runs come first: a profile may have no claim that could carry them. The profile
smoke judges nothing, and has no tables.
"""

from collections.abc import Sequence
from pathlib import Path

from moebench.cli.provenance import notices
from moebench.evidence.record_files import read
from moebench.papers import Target
from moebench.papers.plan import PaperTable
from moebench.report import tables as columns
from moebench.report.paper.disputes import lines_of
from moebench.report.paper.opening import opening
from moebench.report.paper.own_tables import tables_of
from moebench.report.paper.verdict_sheet import verdict_sheet
from moebench.report.paper.verdict_table import table
from moebench.report.sheets import FORMATS
from moebench.verdict import Verdict


def shown(found: Target, folder: Path, verdicts: Sequence[Verdict], form: str = "") -> str:
    """Return verdicts, and the paper's tables with our figures beside its own, as text.

    Args:
        found: the target.
        folder: of its runs, with `results.jsonl` and the report.
        verdicts: on its claims.
        form: csv, markdown or latex, for the verdicts alone as another program reads them.
    """
    if form:
        return FORMATS[form](verdict_sheet(verdicts)).rstrip()
    records = read(folder / "results.jsonl")
    sentences = [*notices(found, records), *opening(verdicts, records)]
    lines = [line for told in sentences for line in columns.wrapped(told)]
    if {record.profile for record in records} != {"smoke"}:
        tables = [line for one in tables_of(found, records) for line in _paper_table(one)]
        disputes = lines_of(found.disputes, verdicts)
        lines += ["", *disputes, *([""] * bool(disputes)), table(verdicts), *tables]
    return "\n".join([*lines, f"report: {folder / 'report.html'}"])


def _paper_table(paper: PaperTable) -> list[str]:
    """Return a table of the paper with its title and caption."""
    title = columns.wrapped(f"{paper.title}. {paper.caption}")
    align = "l" + "r" * (len(paper.head) - 1)
    keys = naming(paper.rows)
    return ["", *title, *columns.table(paper.head, paper.rows, align, keys=keys), ""]


def naming(rows: Sequence[Sequence[str]]) -> int:
    """Return how many leading columns it takes to tell the rows of a table apart."""
    for count in range(1, len(rows[0]) if rows else 1):
        if len({tuple(row[:count]) for row in rows}) == len(rows):
            return count
    return 1
