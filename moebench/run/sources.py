"""Where jobs come from."""

from collections.abc import Sequence
from typing import Protocol

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.job import Job


class Source(Protocol):
    """Where jobs come from: a plan, the trials of a study, baselines."""

    @property
    def done(self) -> bool:
        """Whether no more will come and all have ended."""

    @property
    def left(self) -> int:
        """How many jobs have not ended, those to come included, as far as that is known."""

    def next(self) -> Job | None:
        """Return a job to submit now; None if there is none, or none yet."""

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Take the record of a job, if the job came from here; say whether it did."""

    def watch(self, engine: Engine) -> None:
        """Look at the running jobs, to end those that are not worth finishing."""


class Sources:
    """Several sources as one.

    Args:
        sources: asked for jobs in this order.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def done(self) -> bool:
        """Whether all are done."""
        return all(source.done for source in self._sources)

    @property
    def left(self) -> int:
        """How many jobs have not ended, of all."""
        return sum(source.left for source in self._sources)

    def next(self) -> Job | None:
        """Return the next job of the first source that has one."""
        found = (source.next() for source in self._sources)
        return next((job for job in found if job is not None), None)

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Hand a record to the source of its job."""
        return any(source.ended(job, record) for source in self._sources)

    def watch(self, engine: Engine) -> None:
        """Let each look at its jobs."""
        for source in self._sources:
            source.watch(engine)
