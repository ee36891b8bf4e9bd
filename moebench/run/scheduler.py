"""Keeps an engine busy with jobs from sources and hands their records back.

A worker that is lost is made up for here, once, whatever the engine and the source: its run goes on
from its checkpoint. A run that takes longer than it may is ended and recorded as `timed_out`.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.recording import record_for
from moebench.run.sources import Source, Sources

POLL_SECONDS = 1.0  # rarely: the driver shares the cores with its workers

# Called with the engine, the records since the last call, and how many jobs have not ended.
Watch = Callable[[Engine, Sequence[RunRecord], int], None]


class Scheduler:
    """Runs the jobs of sources until there are no more.

    Args:
        engine: what carries them out.
        sources: asked for jobs in this order, each while a slot is free.
        watch: called again and again, to look on.
        time_limit: seconds that a run may take.
        clock: the seconds that pass while the engine is waited for.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sequence[Source],
        watch: Watch,
        time_limit: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.source = Sources(sources)
        self._watch = watch
        self._time_limit = time_limit
        self._clock = clock
        self._records: list[RunRecord] = []  # since the last look
        self._began: dict[Path, float] = {}  # folder of a running job -> by the clock
        self._lost: list[Job] = []  # to be submitted again
        self._once_more: set[Path] = set()  # folders of jobs that have been

    @property
    def done(self) -> bool:
        """Whether nothing runs, and nothing more is to come."""
        busy = bool(self.engine.running or self._lost)
        return not busy and self.source.done

    def run(self) -> None:
        """Run until every source is done."""
        while not self.done:
            # First collect what has ended, so that no slot stays free until the next round.
            self._collect()
            self._end_overdue()
            self._fill()
            self.source.watch(self.engine)
            records, self._records = self._records, []
            self._watch(self.engine, records, self.source.left)
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
            job = self._lost.pop(0) if self._lost else self.source.next()
            if job is None:
                return
            self._began[job.folder] = self._clock()
            self.engine.submit(job)

    def _end_overdue(self) -> None:
        if self._time_limit == math.inf:
            return
        for job in self.engine.running:
            if self.engine.where(job) is None:
                self._began[job.folder] = self._clock()
        latest = self._clock() - self._time_limit
        for job in [job for job in self.engine.running if self._began[job.folder] < latest]:
            self.engine.cancel(job)
            why = f"the run took longer than the {self._time_limit:g} seconds it was given"
            # It may have ended just now, by itself.
            self._hand_back(job, job.result() or record_for(job, "timed_out", why))

    def _hand_back(self, job: Job, record: RunRecord) -> None:
        self._began.pop(job.folder, None)
        self._records.append(record)
        self.source.ended(job, record)
