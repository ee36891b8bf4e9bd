"""Keeps an engine busy with jobs from sources and hands their records back.

A worker that is lost is made up for here, once, whatever the engine and the source: its run goes on
from its checkpoint. A run that takes longer than it may is ended and recorded as `timed_out`.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.recording import record_for

POLL_SECONDS = 1.0  # rarely: the driver shares the cores with its workers

Watch = Callable[[Sequence[Job], Sequence[RunRecord]], None]


class Source(Protocol):
    """Where jobs come from: a plan, the trials of a study, baselines."""

    @property
    def done(self) -> bool:
        """Whether no more will come and all have ended."""

    def next(self) -> Job | None:
        """Return a job to submit now; None if there is none, or none yet."""

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Take the record of a job, if the job came from here; say whether it did."""

    def watch(self, engine: Engine) -> None:
        """Look at the running jobs, to end those that are not worth finishing."""


class Scheduler:
    """Runs the jobs of sources until there are no more.

    Args:
        engine: what carries them out.
        sources: asked for jobs in this order, each while a slot is free.
        watch: called again and again with the jobs running now and the records so far.
        time_limit: seconds that a run may take.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sequence[Source],
        watch: Watch,
        time_limit: float = math.inf,
    ) -> None:
        self.engine = engine
        self.sources = sources
        self.records: list[RunRecord] = []
        self._watch = watch
        self._time_limit = time_limit
        self._began: dict[Path, float] = {}  # folder of a running job -> on the monotonic clock
        self._lost: list[Job] = []  # to be submitted again
        self._once_more: set[Path] = set()  # folders of jobs that have been

    @property
    def done(self) -> bool:
        """Whether nothing runs, and nothing more is to come."""
        busy = bool(self.engine.running or self._lost)
        return not busy and all(source.done for source in self.sources)

    def run(self) -> None:
        """Run until every source is done."""
        while not self.done:
            # First collect what has ended, so that no slot stays free until the next round.
            self._collect()
            self._end_overdue()
            self._fill()
            for source in self.sources:
                source.watch(self.engine)
            self._watch(self.engine.running, self.records)
            if not self.done:
                self.engine.wait(POLL_SECONDS)

    def _collect(self) -> None:
        for job, record, why in self.engine.ended():
            if record is not None:
                self._hand_back(job, record)
            elif job.folder in self._once_more:
                self._hand_back(job, record_for(job, "failed", why))
            else:
                self._once_more.add(job.folder)
                self._lost.append(job)

    def _fill(self) -> None:
        while len(self.engine.running) < self.engine.slots:
            job = self._lost.pop(0) if self._lost else self._next()
            if job is None:
                return
            self._began[job.folder] = time.monotonic()
            self.engine.submit(job)

    def _next(self) -> Job | None:
        found = (source.next() for source in self.sources)
        return next((job for job in found if job is not None), None)

    def _end_overdue(self) -> None:
        for job in filter(self.engine.waits, self.engine.running):
            self._began[job.folder] = time.monotonic()
        latest = time.monotonic() - self._time_limit
        for job in [job for job in self.engine.running if self._began[job.folder] < latest]:
            self.engine.cancel(job)
            why = f"the run took longer than the {self._time_limit:g} seconds it was given"
            # It may have ended just now, by itself.
            self._hand_back(job, job.result() or record_for(job, "timed_out", why))

    def _hand_back(self, job: Job, record: RunRecord) -> None:
        self.records.append(record)
        any(source.ended(job, record) for source in self.sources)
