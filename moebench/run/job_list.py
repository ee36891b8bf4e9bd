"""A list of jobs, such as those of a paper's plan, as a source of runs."""

from collections.abc import Sequence

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.place import found
from moebench.run.scheduler import Scheduler, Watch


class JobList:
    """Hands out jobs in their order, but for those that have a result already.

    Args:
        jobs: each in its own folder.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        results = {job.folder: found(job) for job in jobs}
        self._waiting = [job for job in jobs if results[job.folder] is None]
        self._left = {job.folder for job in self._waiting}

    @property
    def done(self) -> bool:
        """Whether all have ended."""
        return not self._left

    @property
    def left(self) -> int:
        """How many have not ended."""
        return len(self._left)

    def next(self) -> Job | None:
        """Return the next job; None after the last."""
        return self._waiting.pop(0) if self._waiting else None

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Note that a job of the list is over."""
        ours = job.folder in self._left
        self._left.discard(job.folder)
        return ours

    def watch(self, engine: Engine) -> None:
        """Let every job finish."""


def run_all(jobs: Sequence[Job], execution: Execution, watch: Watch) -> list[RunRecord]:
    """Run every job that has no result yet; return the records of all, in the order of the jobs.

    Args:
        jobs: what to run, each in its own folder.
        execution: how.
        watch: called again and again.
    """
    source = JobList(jobs)
    if not source.done:
        with execution.start() as engine:
            Scheduler(engine, [source], watch, execution.time_limit).run()
    return [record for job in jobs for record in job.records()]
