"""Schedules runs in parallel on one GPU: as many as fit into its memory and can finish in time.

With a single small run, the GPU waits for the host most of the time. The speed of parallel runs is
measured while they train: if they cannot all finish in time, the least valuable ones are postponed.
Runs that were postponed or interrupted continue from their checkpoints at the next call.
"""

import os
from collections.abc import Callable, Iterator, Sequence

import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.machine import Usage
from benchmarks.gpu.pace import SPARE, Pace, kept, steps_of, taken
from moebench.evidence.record import RunRecord
from moebench.run.engines.local import Local
from moebench.run.job import Job
from moebench.run.recording import record_for
from moebench.run.scheduler import POLL_SECONDS

MOST = 16  # runs in parallel
FIRST_GUESS = 6 * 2**30  # assumed bytes per run until one has been measured


class Scheduler:
    """Runs jobs in parallel until they are done or the time is over.

    Args:
        clock: the clock of the stage.
        device: the device they run on.
    """

    def __init__(self, clock: Clock, device: torch.device) -> None:
        self.clock = clock
        self.pace = Pace()
        self.usage = Usage()
        self.most_parallel = 0  # largest number of parallel runs so far
        self._capacity = Capacity(device)
        self._again: list[Job] = []
        self._closed = False  # whether no further run can finish in time

    def make(self, jobs: Iterator[Job], ended: Callable[[Job, RunRecord], None]) -> None:
        """Run jobs, the most valuable first; call `ended` for each that has ended."""
        with Local(self._capacity.workers) as engine:
            while self.clock.left:
                self._collect(engine, ended)
                self._start(engine, jobs)
                if not engine.running:
                    return
                self.most_parallel = max(self.most_parallel, len(engine.running))
                self.pace.look(engine.running)
                self._postpone(engine)
                self.usage.look()
                engine.wait(POLL_SECONDS)

    def _collect(self, engine: Local, ended: Callable[[Job, RunRecord], None]) -> None:
        """Collect finished runs; repeat one that ran out of memory next to others."""
        for job, found, why in engine.ended():
            record = found or record_for(job, "failed", why)
            if record.status == "out_of_memory" and engine.running:
                engine.slots = len(engine.running)
                job.record_path.unlink()
                self._again.append(job)
            else:
                ended(job, record)

    def _start(self, engine: Local, jobs: Iterator[Job]) -> None:
        """Start runs that fit and can finish in time; always start the first one."""
        while self._may_start(engine):
            job = self._again.pop(0) if self._again else next(jobs, None)
            if job is None:
                return
            left = sum(_left(one) for one in [*engine.running, job])
            rate = self.pace.rate
            if engine.running and rate and left > SPARE * rate * self.clock.left:
                self._closed = True
                return
            engine.submit(job)

    def _may_start(self, engine: Local) -> bool:
        """Say whether another run fits."""
        free = len(engine.running) < engine.slots
        return free and not self._closed and self._capacity.has(engine.running)

    def _postpone(self, engine: Local) -> None:
        """Stop the least valuable runs if not all can finish in time; they have checkpoints."""
        if self.pace.rate is None:
            return
        jobs = engine.running
        for job in jobs[kept([_left(one) for one in jobs], self.pace.rate, self.clock.left) :]:
            engine.cancel(job)
            self._closed = True


def _left(job: Job) -> int:
    """Return the number of steps that a run has left."""
    return max(0, steps_of(job) - taken(job))


class Capacity:
    """How many runs fit: by the GPU's free memory and the number of CPU cores.

    Args:
        device: the GPU; on a CPU only the cores count.
    """

    def __init__(self, device: torch.device) -> None:
        self._card = device if device.type == "cuda" else None
        self._at_first = self._free()
        cores = len(os.sched_getaffinity(0))
        self.workers = min(MOST, cores) if self._card else min(2, cores)

    def has(self, jobs: Sequence[Job]) -> bool:
        """Say whether another run fits; the others' memory is known once they take steps."""
        if self._card is None:
            return True
        free, under_way = self._free(), sum(taken(job) > 0 for job in jobs)
        each = (self._at_first - free) / under_way if under_way else FIRST_GUESS
        starting = len(jobs) - under_way
        return each * (starting + 1) < free

    def _free(self) -> float:
        """Return the GPU's free bytes."""
        return float(torch.cuda.mem_get_info(self._card)[0]) if self._card else 0.0
