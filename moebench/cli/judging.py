"""The records in a folder are judged, and shown on a page; nothing is trained, nor needs torch."""

import json
from pathlib import Path

from moebench import report
from moebench.cli.lookup import results_in
from moebench.cli.provenance import notices
from moebench.evidence.record_files import read, write_whole
from moebench.papers import Target, folder_of
from moebench.papers.computed import import_function
from moebench.papers.plan import Profile
from moebench.report.paper.own_tables import tables_of
from moebench.report.paper.verdict_sheet import verdict_sheet
from moebench.report.sheets import write_sheet
from moebench.verdict import Verdict
from moebench.verdict.paper import judge_paper


def judge_and_report(target: Target, profile: Profile, folder: Path) -> list[Verdict]:
    """Judge the claims by the records in a folder; write verdicts, tables and report.

    Claims that the runs of another target judge are judged by its folder of the same profile.

    Raises:
        FileNotFoundError: if there are no records.
    """
    records = read(results_in(folder, target))
    root = folder.parents[1]
    verdicts = judge_paper(
        target,
        records,
        profile.name,
        lambda name: root / folder_of(name) / profile.name / "results.jsonl",
    )
    lines = [verdict.to_json() for verdict in verdicts]
    write_whole(folder / "verdicts.json", json.dumps(lines, indent=1) + "\n")
    write_sheet(verdict_sheet(verdicts), folder, "verdicts")
    drawings = import_function(target.plan.drawings)(records) if target.plan.drawings else ()
    report.write(
        folder,
        target.paper,
        target.claims,
        verdicts,
        target.plan.groups,
        drawings=drawings,
        tables=tables_of(target, records),
        notices=notices(target, records),
        disputes=target.disputes,
    )
    return verdicts
