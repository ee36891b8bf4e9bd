"""The verdicts on all claims of one paper."""

from collections.abc import Callable, Sequence
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import Target
from moebench.verdict import Verdict, judge


def judge_paper(
    target: Target,
    records: Sequence[RunRecord],
    profile: str,
    records_of: Callable[[str], Path],
) -> list[Verdict]:
    """Judge all claims of a paper by the records of a profile.

    Args:
        target: the paper.
        records: its records.
        profile: the profile whose records count.
        records_of: returns the path of another paper's records by its name, for claims that those
            judge; a missing file counts as empty.
    """
    others = dict.fromkeys(claim.runs_of for claim in target.claims if claim.runs_of)
    paths = {name: records_of(name) for name in others}
    elsewhere = {name: read(path) for name, path in paths.items() if path.exists()}
    return judge(target.claims, records, profile, elsewhere, target.plan)
