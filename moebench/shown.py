"""What a reproduction shows in a terminal: verdicts, the paper's tables, where the report is.

Before them stands what is to be said of the runs: a profile may have no claim that could say it.
"""

from collections.abc import Sequence
from pathlib import Path

from moebench.provenance import notices
from moebench.records import read
from moebench.report import markdown_paper_table
from moebench.targets import Target
from moebench.verdict import Verdict
from moebench.verdict.table import table


def shown(found: Target, folder: Path, verdicts: Sequence[Verdict]) -> str:
    """Return verdicts, and the paper's tables with our figures beside its own, as text.

    Args:
        found: the target.
        folder: of its runs, with `results.jsonl` and the report.
        verdicts: on its claims.
    """
    records = read(folder / "results.jsonl")
    tables = [f"{markdown_paper_table(one)}\n" for one in found.tables(records)]
    report = f"report: {folder / 'report.html'}"
    return "\n".join([*notices(found, records), table(verdicts), *tables, report])
