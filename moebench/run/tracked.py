"""Runs with progress on the screen, sent to MLflow while they run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.place import found, kept_beside
from moebench.run.progress import Progress
from moebench.run.scheduler import Watch
from moebench.tracking import Tracker


@contextmanager
def watching(tracker: Tracker | None, known: Sequence[RunRecord]) -> Iterator[Watch]:
    """Return what shows the progress of runs and sends them, called as a scheduler does.

    Args:
        tracker: where to; None: nothing is sent.
        known: of the runs that have ended before.
    """
    with Progress(known) as progress:

        def watch(engine: Engine, records: Sequence[RunRecord], left: int) -> None:
            progress(engine, records, left)
            if tracker is not None:
                tracker.poll()

        yield watch


def run_tracked(
    jobs: Sequence[Job], execution: Execution, tracker: Tracker | None
) -> list[RunRecord]:
    """Make the missing runs; return the records of all. Without a tracker nothing is sent.

    A line is printed about finished runs with different data, code or configuration.
    """
    known = [record for job in jobs if (record := found(job)) is not None]
    if line := kept_beside(jobs):
        print(line)
    try:
        with watching(tracker, known) as watch:
            return run_all(jobs, execution, watch)
    except BaseException:  # Ctrl-C as well: no run may be left RUNNING
        if tracker is not None:
            tracker.close({}, [], status="KILLED")
        raise
