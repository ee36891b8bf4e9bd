"""A pool of worker processes: each run, one arm with one seed, has a fresh process.

The parent never trains. It starts processes, watches their files, and calls back every second to
show progress and feed tracking.
"""

import errno
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

import torch
from filelock import FileLock, Timeout

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write, write_whole
from moebench.run import worker
from moebench.run.job import Job
from moebench.run.messages import Messages, message_path
from moebench.run.place import found, settle
from moebench.run.recording import record_of
from moebench.run.threads import VARIABLE, threads_asked

POLL_SECONDS = 1.0  # rarely: the parent shares the cores with its workers


@dataclass
class Running:
    """A job and the process that works on it."""

    job: Job
    process: BaseProcess


def default_workers() -> int:
    """Return one worker per accelerator, or per core where there is none."""
    return torch.cuda.device_count() or len(os.sched_getaffinity(0))


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Lock a folder of runs for this process; the lock goes with the process, however that ends.

    Raises:
        ValueError: if another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Never a lock made of a file that exists: it would outlive a process that is killed.
        lock = FileLock(folder / ".lock", fallback_to_soft=False).acquire(blocking=False)
    except Timeout:
        raise ValueError(f"{folder}: another process is running experiments here") from None
    with lock:
        yield


class Pool:
    """Worker processes side by side; a context manager that ends those still running on exit.

    Args:
        workers: how many at most, with one thread each unless OMP_NUM_THREADS says otherwise: the
            number of threads changes how sums are rounded, so it must not depend on the number of
            workers.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.running: list[Running] = []
        self._messages = Messages()
        self._start = _starter(threads_asked())

    @property
    def free(self) -> bool:
        """Whether another job may be started now."""
        return len(self.running) < self.workers

    @property
    def jobs(self) -> list[Job]:
        """The running jobs."""
        return [entry.job for entry in self.running]

    def start(self, job: Job) -> None:
        """Start a process for a job."""
        job.note_code()
        message_path(job).unlink(missing_ok=True)  # of an earlier attempt
        self.running.append(self._start(job))

    def ended(self) -> list[tuple[Job, RunRecord]]:
        """Return the jobs whose processes have ended since the last call, with their records."""
        over = [entry for entry in self.running if not entry.process.is_alive()]
        for entry in over:
            entry.process.join()
            self.running.remove(entry)
        self._messages.show([entry.job for entry in over])
        return [(entry.job, _ended(entry)) for entry in over]

    def stop(self, job: Job) -> None:
        """End the process of a job that another machine has taken over; it leaves no record."""
        for entry in [entry for entry in self.running if entry.job is job]:
            self.running.remove(entry)
            entry.process.terminate()
            entry.process.join()

    def wait(self) -> None:
        """Sleep until a process ends, a second at most; show new messages of the runs."""
        wait([entry.process.sentinel for entry in self.running], timeout=POLL_SECONDS)
        self._messages.show(self.jobs)

    def __enter__(self) -> "Pool":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what is still running."""
        for job in self.jobs:
            self.stop(job)


def run_all(
    jobs: Sequence[Job],
    workers: int,
    watch: Callable[[Sequence[Job], Sequence[RunRecord]], None],
) -> list[RunRecord]:
    """Run every job that has no record yet; return the records of all, in the order of the jobs.

    Args:
        jobs: what to run, each in its own folder.
        workers: processes side by side.
        watch: called again and again with the jobs running now and the records so far.
    """
    records = {job.folder: result for job in jobs if (result := found(job)) is not None}
    waiting = [job for job in jobs if job.folder not in records]
    with Pool(workers) as pool:
        while waiting or pool.running:
            # First collect what has ended, so that no worker idles until the next round.
            records |= {job.folder: record for job, record in pool.ended()}
            while waiting and pool.free:
                pool.start(waiting.pop(0))
            watch(pool.jobs, list(records.values()))
            pool.wait()
    return [record for job in jobs for record in job.records()]


def context() -> ForkServerContext:
    """Return what starts processes: forks of a server that has imported everything and run nothing.

    A plain fork would copy a process with threads; a fresh interpreter would import for seconds.
    """
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["moebench.run.worker", "moebench.experiment"])
    return found


def _starter(threads: int) -> Callable[[Job], Running]:
    """Return what starts a worker."""
    # Read when the server starts: OpenMP looks at it once, when torch is imported.
    os.environ[VARIABLE] = str(threads)
    started = context()

    def start(job: Job) -> Running:
        process = started.Process(target=worker.main, args=(job, threads), daemon=True)
        with _program_hidden():
            process.start()
        return Running(job, process)

    return start


@contextmanager
def _program_hidden() -> Iterator[None]:
    """Let a process that starts find no program: it would run all that a script has on its top."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _ended(entry: Running) -> RunRecord:
    """Return the record of a job whose process has ended, writing one where it left none.

    Raises:
        OSError: if it found the disk full.
    """
    job = entry.job
    if entry.process.exitcode == worker.DISK_FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(job.folder))
    record = job.record()
    if record is None:
        if job.record_path.exists():  # of a different run, which this one had no time to move aside
            settle(job.unprepared())
        record = record_of(job, "failed")
        write(record, job.record_path)
        write_whole(
            job.folder / "error.txt",
            f"the process ended with exit code {entry.process.exitcode} and left no record"
            " (a negative code is a signal; with 9 the system often ran out of memory)\n",
        )
    return record
