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
    """Return the verdicts on all claims of a paper by the records of a profile.

    Args:
        target: the paper.
        records: of this paper.
        profile: whose records count.
        records_of: where the records of another paper are, by its name; for claims that those
            judge. A file that is not there has none.
    """
    others = dict.fromkeys(claim.runs_of for claim in target.claims if claim.runs_of)
    paths = {name: records_of(name) for name in others}
    elsewhere = {name: read(path) for name, path in paths.items() if path.exists()}
    return judge(target.claims, records, profile, elsewhere, target.plan)
