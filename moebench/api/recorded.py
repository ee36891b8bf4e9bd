"""Runs that are there, and what they say of a paper's claims; nothing is trained."""

from pathlib import Path

import pandas as pd

from moebench.api.frames import record_frame, verdict_frame
from moebench.api.refusing import one_line
from moebench.cli.lookup import RESULTS, judged, kept
from moebench.comparison import from_files, wanted
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import target, targets


@one_line()
def records(of: str | Path, profile: str = "", root: str | Path = "runs") -> pd.DataFrame:
    """Return the records of runs, a row a run.

    Args:
        of: a paper, by a name of `moebench list`; or a folder of runs, or a file of records.
        profile: of a paper: whose runs under `root` are meant; empty: its committed records.
        root: folder of all runs.

    Returns:
        The fields that are numbers or text, such as `arm`, `seed`, `status`, `steps`, `tokens` and
        `flops_per_token`, and a column a metric, such as `valid/loss`.

    Raises:
        ValueError: for an unknown paper or profile, or where there are no records.
    """
    names = {name for one in targets() for name in (one.name, one.folder)}
    if of not in names and Path(of).exists():
        return record_frame(_in(Path(of)))
    return record_frame(kept(target(str(of)), profile, Path(root)).records)


@one_line()
def verdicts(paper: str, profile: str = "", root: str | Path = "runs") -> pd.DataFrame:
    """Return the verdicts on a paper's claims, a row a claim, by its key.

    Args:
        paper: a name of `moebench list`.
        profile: whose runs under `root` are judged; empty: the committed records.
        root: folder of all runs.

    Returns:
        The fields that are numbers or text, such as `verdict`, `effect`, `low` and `high` (the 95%
        interval), `n`, `p_adjusted`, `unit`, and `why`, a sentence.

    Raises:
        ValueError: for an unknown paper or profile, or where there are no records.
    """
    found, runs = target(paper), Path(root)
    return verdict_frame(judged(found, kept(found, profile, runs), profile, runs))


def _in(place: Path) -> list[RunRecord]:
    """Return the records of a file, of the folder of a profile, or of all runs under a root."""
    if (place / RESULTS).is_file():
        return read(place / RESULTS)
    return [run.record for run in from_files(place, wanted("", ""))]
