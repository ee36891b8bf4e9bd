"""Runs under progress bars, sent to MLflow while they write."""

from collections.abc import Sequence

from moebench.records import RunRecord
from moebench.run.job import Job
from moebench.run.place import found, kept_beside
from moebench.run.pool import run_all
from moebench.run.progress import Progress
from moebench.tracking import Tracker


def run_tracked(jobs: Sequence[Job], workers: int, tracker: Tracker | None) -> list[RunRecord]:
    """Make the runs that are missing; return the records of all. Without a tracker send nothing.

    One line says which finished runs of other data, code or configuration lie beside them.
    """
    for job in jobs:
        found(job)
    if line := kept_beside(jobs):
        print(line)
    with Progress(len(jobs), workers) as bars:

        def watch(running: Sequence[Job], records: Sequence[RunRecord]) -> None:
            bars(running, records)
            if tracker is not None:
                tracker.poll()

        try:
            return run_all(jobs, workers, watch)
        except BaseException:  # Ctrl-C as well: no run may be left RUNNING
            if tracker is not None:
                tracker.close({}, [], status="KILLED")
            raise
