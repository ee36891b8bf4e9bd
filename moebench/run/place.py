"""Where runs of one arm and seed are kept that differ in data, code or configuration.

`<arm>/seed_<n>` is the run that was last asked for. When a different one is asked for, it moves to
`<arm>/earlier/<data>-<identity>/seed_<n>`; when it is asked for again, it moves back. Each move is
a single rename, so a kill at any moment neither loses nor duplicates a run.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from filelock import FileLock

from moebench.evidence.data_name import data_name
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import EARLIER, IDENTITY, json_of, read_one, write_whole
from moebench.run.job import Job

UNKNOWN = "unknown"  # in place of an identity: of a run that has none on record


def held(job: Job, seconds: float = -1) -> AbstractContextManager[object]:
    """Return the lock that the worker of a job holds.

    It waits for an orphan of a killed parent, which ends itself at its next step, and where a time
    is given raises `filelock.Timeout` after it. The file lies outside the folder of the job, which
    may move.
    """
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    path = job.folder.with_name(f".{job.folder.name}.lock")
    return FileLock(path, timeout=seconds, fallback_to_soft=False)


def settle(job: Job) -> None:
    """Bring the folder of the run of a job into place, as it was left, or make it.

    A different run that is found there is moved aside.
    """
    if (there := identity_of(job.folder)) != job.identity:
        if job.folder.exists() and any(job.folder.iterdir()):
            shelf = f"{_data_in(job.folder)}-{there or UNKNOWN}"
            aside = _free(job.folder.parent / EARLIER / shelf / job.folder.name)
            aside.parent.mkdir(parents=True, exist_ok=True)
            job.folder.rename(aside)
        for kept in _kept(job):
            kept.rename(job.folder)
    job.folder.mkdir(parents=True, exist_ok=True)
    if not _noted(job.folder):
        write_whole(job.folder / IDENTITY, job.identity + "\n")


def found(job: Job) -> RunRecord | None:
    """Return the result of a job, fetched back if it was moved aside; None where there is none."""
    result = job.result()
    if result is None and (job.folder.parent / EARLIER).is_dir():
        if _kept(job):
            with held(job):
                settle(job)
        result = job.result()
    return result


def identity_of(folder: Path) -> str:
    """Return the identity of the run in a folder; empty if there is no run, or it is not known.

    The record of a failed run does not tell: the run may never have reached its data.
    """
    if noted := _noted(folder):
        return noted
    if (folder / "record.json").exists():
        record = read_one(folder / "record.json")
        return "" if record.status == "failed" else record.identity
    return ""


def kept_beside(jobs: Sequence[Job]) -> str:
    """Say in one line which finished runs there are beside those asked for; empty if there is none.

    Different ones are where `settle` moves them, or will move them; other seeds stay in place.
    """
    differ: dict[str, None] = {}
    names: dict[str, None] = {}
    count = 0
    for job in jobs:
        for path, record in _finished(job):
            if differs := job.differs(record):
                count += 1
                differ |= dict.fromkeys(differs)
                names[_data_in(path)] = None
    told = []
    if count:
        told.append(
            f"with different {', '.join(differ)}: {count} ({', '.join(names)}), kept in"
            f" <arm>/{EARLIER}/<data>-<identity>"
        )
    if seeds := _other_seeds(jobs):
        told.append(f"with other seeds: {seeds}, not used")
    if not told:
        return ""
    ready = sum(job.result() is not None for job in jobs)
    return (
        f"{jobs[0].target} {jobs[0].profile}: runs: {len(jobs)}, finished: {ready}, to do:"
        f" {len(jobs) - ready}; finished {'; '.join(told)}"
    )


def _finished(job: Job) -> Iterator[tuple[Path, RunRecord]]:
    """Yield folder and record of every run of the arm and seed of a job that has a result."""
    earlier = job.folder.parent / EARLIER
    paths = [job.record_path, *sorted(earlier.glob(f"*/{job.folder.name}/record.json"))]
    for path in paths:
        if path.exists() and (record := read_one(path)).status != "failed":
            yield path.parent, record


def _other_seeds(jobs: Sequence[Job]) -> int:
    """Return how many finished runs differ from those asked for in nothing but the seed."""
    asked = {job.folder for job in jobs}
    arms = {job.folder.parent: job for job in jobs}
    count = 0
    for arm, job in arms.items():
        for path in set(arm.glob("seed_*/record.json")) - {one / "record.json" for one in asked}:
            with suppress(FileNotFoundError):  # another process has just moved its run
                record = read_one(path)
                count += record.status != "failed" and not job.differs(record)
    return count


def _noted(folder: Path) -> str:
    """Return the identity noted in a folder; empty if there is none, or the file is damaged."""
    path = folder / IDENTITY
    noted = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    return noted if re.fullmatch("[0-9a-f]+", noted) else ""


def _kept(job: Job) -> list[Path]:
    """Return the folder in which the run of a job is kept; none if it is in use or not there.

    Runs that were moved before shelves had the names of data are found as well.
    """
    earlier = job.folder.parent / EARLIER
    return [path for path in earlier.glob(f"*{job.identity}/{job.folder.name}") if path.is_dir()][
        :1
    ]


def _data_in(folder: Path) -> str:
    """Return the name of the data of the run in a folder."""
    path = folder / "config.json"
    return data_name(json_of(path)) if path.exists() else UNKNOWN


def _free(path: Path) -> Path:
    """Return this path or, if somebody has put a copy there, the first free one with a number."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
