"""Where runs lie that differ in data, code or configuration alone: beside one another.

`<arm>/seed_<n>` is the run that was asked for last. Asked for another one, it moves, whole, to
`<arm>/earlier/<identity>/seed_<n>`; asked for again, it comes back. Every move is one renaming, so
whatever is killed on the way, no run is lost and none is in two places.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from moebench.records import RunRecord, read_one, write_whole
from moebench.run.job import Job

EARLIER = "earlier"
IDENTITY = "identity"  # file in the folder of a run
UNKNOWN = "unknown"  # in the place of an identity: of what does not say what it is of


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Hold the folder of a job, as its worker does.

    The lock waits for an orphan of a killed parent, which ends itself at its next step. Its file
    lies outside the folder, which may move.
    """
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    with job.folder.with_name(f".{job.folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def settle(job: Job) -> None:
    """Make the folder of a job that of this very run: as it was left, or new.

    Another run that lies there is moved aside.
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
    """Return the identity of the run in a folder; empty where there is none or it is not known.

    Only a record that is no failure tells: a failed run may not have come to its data.
    """
    if noted := _noted(folder):
        return noted
    if (folder / "record.json").exists():
        record = read_one(folder / "record.json")
        return "" if record.status == "failed" else record.identity
    return ""


def kept_beside(jobs: Sequence[Job]) -> str:
    """Say in one line what finished runs there are that differ from those asked for; empty if none.

    Their folders are where `settle` puts them, or will put them.
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
        f"{jobs[0].target} {jobs[0].profile}: runs asked for: {len(jobs)}, there and used: {ready},"
        f" to be made: {len(jobs) - ready}; finished runs that differ in {', '.join(differ)} and"
        f" are kept beside them, in <arm>/{EARLIER}/<identity>: {count}"
    )


def _noted(folder: Path) -> str:
    """Return the identity that a folder has a file of; empty without one, or one that is empty."""
    path = folder / IDENTITY
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _beside(job: Job, identity: str) -> Path:
    """Return where the run of an identity lies while another is asked for."""
    return job.folder.parent / EARLIER / identity / job.folder.name


def _free(path: Path) -> Path:
    """Return a path that is free: this one, or with a number where somebody has put a copy."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
