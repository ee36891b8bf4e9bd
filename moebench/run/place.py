"""Where runs of one arm and seed are kept that differ in data, code or configuration.

`<arm>/seed_<n>` is the run that was last asked for. When a different one is asked for, it moves to
`<arm>/earlier/<identity>/seed_<n>`; when it is asked for again, it moves back. Each move is a
single rename, so a kill at any moment neither loses nor duplicates a run.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_one, write_whole
from moebench.run.job import Job

EARLIER = "earlier"
IDENTITY = "identity"  # file in the folder of a run
UNKNOWN = "unknown"  # in place of an identity: of a run that has none on record


def held(job: Job) -> AbstractContextManager[object]:
    """Return the lock that the worker of a job holds.

    It waits for an orphan of a killed parent, which ends itself at its next step. The file lies
    outside the folder of the job, which may move.
    """
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(job.folder.with_name(f".{job.folder.name}.lock"), fallback_to_soft=False)


def settle(job: Job) -> None:
    """Bring the folder of the run of a job into place, as it was left, or make it.

    A different run that is found there is moved aside.
    """
    if (there := identity_of(job.folder)) != job.identity:
        if job.folder.exists() and any(job.folder.iterdir()):
            aside = _free(_beside(job, there or UNKNOWN))
            aside.parent.mkdir(parents=True, exist_ok=True)
            job.folder.rename(aside)
        if _beside(job, job.identity).is_dir():
            _beside(job, job.identity).rename(job.folder)
    job.folder.mkdir(parents=True, exist_ok=True)
    if not _noted(job.folder):
        write_whole(job.folder / IDENTITY, job.identity + "\n")


def found(job: Job) -> RunRecord | None:
    """Return the result of a job, fetched back if it was moved aside; None where there is none."""
    result = job.result()
    if result is None and (job.folder.parent / EARLIER).is_dir():
        if _beside(job, job.identity).is_dir():
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
    """Say in one line how many finished runs differ from those asked for; empty if none does.

    They are where `settle` moves them, or will move them.
    """
    differ: dict[str, None] = {}
    count = ready = 0
    for job in jobs:
        ready += job.result() is not None
        paths = [job.record_path]
        paths += sorted((job.folder.parent / EARLIER).glob(f"*/{job.folder.name}/record.json"))
        for path in (path for path in paths if path.exists()):
            record = read_one(path)
            if record.status != "failed" and (differs := job.differs(record)):
                count += 1
                differ |= dict.fromkeys(differs)
    if not count:
        return ""
    return (
        f"{jobs[0].target} {jobs[0].profile}: runs: {len(jobs)}, finished: {ready}, to do:"
        f" {len(jobs) - ready}; finished with different {', '.join(differ)}: {count}, kept in"
        f" <arm>/{EARLIER}/<identity>"
    )


def _noted(folder: Path) -> str:
    """Return the identity noted in a folder; empty if there is none."""
    path = folder / IDENTITY
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _beside(job: Job, identity: str) -> Path:
    """Return where the run of an identity is kept while a different one is in use."""
    return job.folder.parent / EARLIER / identity / job.folder.name


def _free(path: Path) -> Path:
    """Return this path or, if somebody has put a copy there, the first free one with a number."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
