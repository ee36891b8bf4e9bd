"""Runs with progress bars, sent to MLflow while they run."""

from collections.abc import Sequence

from moebench.evidence.record import RunRecord
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.place import found, kept_beside
from moebench.run.progress import Progress
from moebench.tracking import Tracker


def run_tracked(
    jobs: Sequence[Job], execution: Execution, tracker: Tracker | None
) -> list[RunRecord]:
    """Make the missing runs; return the records of all. Without a tracker nothing is sent.

    A line is printed about finished runs with different data, code or configuration.
    """
    for job in jobs:
        found(job)
    if line := kept_beside(jobs):
        print(line)
    with Progress(len(jobs)) as bars:

        def watch(running: Sequence[Job], records: Sequence[RunRecord]) -> None:
            bars(running, records)
            if tracker is not None:
                tracker.poll()

        try:
            return run_all(jobs, execution, watch)
        except BaseException:  # Ctrl-C as well: no run may be left RUNNING
            if tracker is not None:
                tracker.close({}, [], status="KILLED")
            raise
