"""Runs side by side on one card: as many as find room in its memory and end in time.

A card that one run alone asks for work waits for its host most of the time. How fast runs are side
by side shows while they work: once not all can end in time, those of least worth are put off. What
is put off, or cut by the end, goes on from its checkpoint at the next call.
"""

import os
from collections.abc import Callable, Iterator, Sequence

import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.machine import Usage
from benchmarks.gpu.pace import SPARE, Pace, kept, steps_of, taken
from moebench.evidence.record import RunRecord
from moebench.run.job import Job
from moebench.run.pool import Pool

MOST = 16  # side by side
FIRST_GUESS = 6 * 2**30  # bytes that a run takes, before one has shown it


class Crew:
    """Makes jobs side by side until they are made or the time is over.

    Args:
        clock: of the stage.
        device: that they run on.
    """

    def __init__(self, clock: Clock, device: torch.device) -> None:
        self.clock = clock
        self.pace = Pace()
        self.usage = Usage()
        self.most_beside = 0  # runs that were side by side
        self._room = Room(device)
        self._again: list[Job] = []
        self._closed = False  # no other run ends in time

    def make(self, jobs: Iterator[Job], ended: Callable[[Job, RunRecord], None]) -> None:
        """Make jobs, of which those that come first are worth most; tell of each that has ended."""
        with Pool(self._room.workers) as pool:
            while self.clock.left:
                self._take_in(pool, ended)
                self._start(pool, jobs)
                if not pool.running:
                    return
                self.most_beside = max(self.most_beside, len(pool.running))
                self.pace.look(pool.jobs)
                self._put_off(pool)
                self.usage.look()
                pool.wait()

    def _take_in(self, pool: Pool, ended: Callable[[Job, RunRecord], None]) -> None:
        """Look which runs have ended; one that found no memory beside others is made again."""
        for job, record in pool.ended():
            if record.status == "out_of_memory" and pool.running:
                pool.workers = len(pool.running)
                job.record_path.unlink()
                self._again.append(job)
            else:
                ended(job, record)

    def _start(self, pool: Pool, jobs: Iterator[Job]) -> None:
        """Start what finds room and ends in time; the first one in any case."""
        while pool.free and not self._closed and self._room.has(pool.jobs):
            job = self._again.pop(0) if self._again else next(jobs, None)
            if job is None:
                return
            left = sum(_left(one) for one in [*pool.jobs, job])
            rate = self.pace.rate
            if pool.running and rate and left > SPARE * rate * self.clock.left:
                self._closed = True
                return
            pool.start(job)

    def _put_off(self, pool: Pool) -> None:
        """End the runs of least worth, if not all end in time; they have their checkpoints."""
        if self.pace.rate is None:
            return
        jobs = pool.jobs
        for job in jobs[kept([_left(one) for one in jobs], self.pace.rate, self.clock.left) :]:
            pool.stop(job)
            self._closed = True


def _left(job: Job) -> int:
    """Return the steps that a run has left."""
    return max(0, steps_of(job) - taken(job))


class Room:
    """The memory of a card, as its driver tells it, and the cores that feed it.

    Args:
        device: the card; a processor has room for as many runs as cores.
    """

    def __init__(self, device: torch.device) -> None:
        self._card = device if device.type == "cuda" else None
        self._at_first = self._free()
        cores = len(os.sched_getaffinity(0))
        self.workers = min(MOST, cores) if self._card else min(2, cores)

    def has(self, jobs: Sequence[Job]) -> bool:
        """Say whether another run finds room beside those; what they take shows once they step."""
        if self._card is None:
            return True
        free, under_way = self._free(), sum(taken(job) > 0 for job in jobs)
        each = (self._at_first - free) / under_way if under_way else FIRST_GUESS
        starting = len(jobs) - under_way
        return each * (starting + 1) < free

    def _free(self) -> float:
        """Return the free bytes."""
        return float(torch.cuda.mem_get_info(self._card)[0]) if self._card else 0.0
