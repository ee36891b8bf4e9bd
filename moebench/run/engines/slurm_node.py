"""What runs in an allocation of Slurm: a worker, and this process, which Slurm talks to."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from submitit.helpers import DelayedSubmission

from moebench.run.engines.local import start_worker
from moebench.run.fork_server import start_server
from moebench.run.job import Job
from moebench.run.threads import VARIABLE

POLL_SECONDS = 1.0
# Slurm announces that it ends an allocation, and whether its job goes on elsewhere shows only then.
GRACE_SECONDS = 120.0


def ticket_path(job: Job) -> Path:
    """Return the file that names the submission by which a job may run: the last one."""
    return job.folder.with_name(f".{job.folder.name}.slurm")


@dataclass(frozen=True)
class Allocated:
    """A job as it is submitted; called in the allocation.

    Args:
        job: what to run.
        ticket: of this submission.
        threads: that it computes with.
        path: where modules are found, as the driver finds them.
    """

    job: Job
    ticket: str
    threads: int
    path: tuple[str, ...]

    def __call__(self) -> int | None:
        """Work on the job; return the exit code of the worker, None if it is no longer wanted."""
        if not self._wanted():
            return None
        sys.path[:] = self.path
        os.environ[VARIABLE] = str(self.threads)
        with _slurm_hidden():
            start_server()
        process = start_worker(self.job)
        try:
            while not wait([process.sentinel], timeout=POLL_SECONDS):
                if not self._wanted():
                    return None
            process.join()
            if process.exitcode == -signal.SIGTERM:
                self._outlast(GRACE_SECONDS)
            return process.exitcode
        finally:
            process.kill()
            process.join()

    def checkpoint(self) -> DelayedSubmission:
        """Return what goes on when the time is up: the same, for the checkpoint is in the folder.

        Called by submitit before it puts the job back into the queue.
        """
        return DelayedSubmission(self)

    def _wanted(self) -> bool:
        """Say whether no later submission, nor the driver, has put an end to this one."""
        try:
            return ticket_path(self.job).read_text(encoding="utf-8") == self.ticket
        except FileNotFoundError:
            return False
        except OSError:  # of a file system that is far away
            return True

    def _outlast(self, seconds: float) -> None:
        """Wait for Slurm to end this process, too."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._wanted():
            time.sleep(POLL_SECONDS)


@contextmanager
def _slurm_hidden() -> Iterator[None]:
    """Let a process that starts know nothing of Slurm.

    Lightning would take over: it counts the tasks of an allocation, and puts jobs back into the
    queue. The signal that the time is up is for this process alone, but sent to all.
    """
    known = {name: value for name, value in os.environ.items() if name.startswith("SLURM_")}
    for name in known:
        del os.environ[name]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.environ.update(known)
