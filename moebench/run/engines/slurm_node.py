"""What runs in an allocation of Slurm: a worker, and the process that Slurm talks to.

The latter needs no torch, whose import takes seconds and memory: the worker is a new interpreter.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from submitit.helpers import DelayedSubmission

from moebench.run.fork_server import program_hidden
from moebench.run.threads import VARIABLE

POLL_SECONDS = 1.0
# Slurm announces that it ends an allocation; whether the job goes on elsewhere shows only then.
GRACE_SECONDS = 120.0


@dataclass(frozen=True)
class Ticket:
    """The right to run a job, which the last submission has: a file beside its folder.

    Args:
        path: the file.
        number: of a submission.
    """

    path: Path
    number: str

    @property
    def valid(self) -> bool:
        """Whether neither a later submission nor the driver has put an end to this one."""
        try:
            return self.path.read_text(encoding="utf-8") == self.number
        except FileNotFoundError:
            return False
        except OSError:  # of a file system that is far away
            return True


@dataclass(frozen=True)
class Allocated:
    """A job as it is submitted; called in the allocation.

    Args:
        job: what to run, pickled.
        ticket: of this submission.
        threads: that it computes with.
        path: where modules are found, as the driver finds them.
    """

    job: bytes
    ticket: Ticket
    threads: int
    path: tuple[str, ...]

    def __call__(self) -> int | None:
        """Work on the job; return the exit code of the worker, None if it is no longer wanted."""
        if not self.ticket.valid:
            return None
        sys.path[:] = self.path
        arguments = (self.job, self.threads)
        process = multiprocessing.get_context("spawn").Process(target=_work, args=arguments)
        with program_hidden(), _slurm_hidden():
            os.environ[VARIABLE] = str(self.threads)
            process.start()
        try:
            while not wait([process.sentinel], timeout=POLL_SECONDS):
                if not self.ticket.valid:
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

    def _outlast(self, seconds: float) -> None:
        """Wait for Slurm to end this process, too."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.ticket.valid:
            time.sleep(POLL_SECONDS)


def _work(job: bytes, threads: int) -> None:
    from moebench.run.preload import main

    main(pickle.loads(job), threads)


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
