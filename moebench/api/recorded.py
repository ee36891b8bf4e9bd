"""Reading runs, and what they say about a paper's claims; nothing is trained."""

from pathlib import Path

import pandas as pd

from moebench.api.frames import record_frame, verdict_frame
from moebench.api.refusing import checking, one_line, root_of
from moebench.cli.lookup import RESULTS, judged, kept
from moebench.comparison import from_files, wanted
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import target, targets


@checking
@one_line()
def records(of: str | Path, profile: str = "", root: str | Path = "runs") -> pd.DataFrame:
    """Return the records of runs as a data frame; trains nothing.

    Args:
        of: whose runs: a paper, by its name in `moebench list`, a folder of runs, or a file of
            records.
        profile: of a paper: return your own runs of this profile under `root`. By default the
            records that come with moebench are returned.
        root: folder of all runs.

    Returns:
        One row per run. Its columns are all fields that are numbers or text, such as `arm`,
        `seed`, `status`, `steps`, `tokens`, `seconds` and `flops_per_token`, and one for each
        metric, such as `valid/loss`. docs/python.md lists them.

    Raises:
        ValueError: if the paper or profile is unknown, or there are no records.

    Example:
        runs = moebench.records("switch")
        runs.groupby("arm")["valid/loss"].mean()
    """
    names = {name for one in targets() for name in (one.name, one.folder)}
    if of not in names and of != "" and Path(of).exists():
        if not (runs := _in(Path(of))):
            raise ValueError(f"of={of}: has no records of runs")
        return record_frame(runs)
    return record_frame(kept(target(str(of)), profile, root_of(root)).records)


@checking
@one_line()
def verdicts(paper: str, profile: str = "", root: str | Path = "runs") -> pd.DataFrame:
    """Return the verdicts on a paper's claims as a data frame; trains nothing.

    Args:
        paper: its name in `moebench list`.
        profile: judge your own runs of this profile under `root`. By default the records that come
            with moebench are judged.
        root: folder of all runs.

    Returns:
        One row per claim, indexed by its id, such as "SW21-03". Among its columns are `verdict`,
        `why` (a sentence), `effect`, `low` and `high` (its 95% interval), `unit`, `n` and
        `p_adjusted`. docs/python.md lists them.

    Raises:
        ValueError: if the paper or profile is unknown, or there are no records.

    Example:
        found = moebench.verdicts("switch")
        found.loc["SW21-03", ["verdict", "effect", "low", "high", "why"]]
    """
    found, runs = target(paper), root_of(root)
    return verdict_frame(judged(found, kept(found, profile, runs), profile, runs))


def _in(place: Path) -> list[RunRecord]:
    """Return the records of a file, of the folder of a profile, or of all runs under a root."""
    if (place / RESULTS).is_file():
        return read(place / RESULTS)
    return [run.record for run in from_files(place, wanted("", ""))]
