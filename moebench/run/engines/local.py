"""Worker processes of this machine: each run, one arm with one seed, has a fresh one."""

import errno
import os
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from moebench.run import worker
from moebench.run.engine import Ended
from moebench.run.fork_server import context, program_hidden, start_server
from moebench.run.job import Job
from moebench.run.messages import Messages, message_path
from moebench.run.threads import threads_asked


@dataclass
class Working:
    """A job and the process that works on it."""

    job: Job
    process: BaseProcess


class Local:
    """Processes side by side. The driver never trains; it starts them and watches their files.

    Args:
        workers: how many at most.
    """

    def __init__(self, workers: int) -> None:
        self.slots = workers
        self._working: list[Working] = []
        self._messages = Messages()
        start_server()

    @property
    def running(self) -> list[Job]:
        """The jobs that have a process."""
        return [entry.job for entry in self._working]

    def where(self, job: Job) -> str:
        """Return nothing: all are on this machine, at once."""
        return ""

    def submit(self, job: Job) -> None:
        """Start a process for a job."""
        job.note_code()
        message_path(job).unlink(missing_ok=True)  # of an earlier attempt
        alone = job.devices == 1  # a daemon may not start the processes of other devices
        process = context().Process(target=worker.main, args=(job, threads_asked()), daemon=alone)
        with program_hidden():
            process.start()
        self._working.append(Working(job, process))

    def ended(self) -> list[Ended]:
        """Return the jobs whose processes have ended since the last call.

        Raises:
            OSError: if one of them found the disk full.
        """
        over = [entry for entry in self._working if not entry.process.is_alive()]
        for entry in over:
            entry.process.join()
            self._working.remove(entry)
        self._messages.show([entry.job for entry in over])
        return [ended_with(entry.job, entry.process.exitcode) for entry in over]

    def prune(self, job: Job) -> None:
        """Leave the file that its worker looks for before every step."""
        job.prune_path.touch()

    def cancel(self, job: Job) -> None:
        """Kill the process of a job; one that hangs heeds nothing else."""
        for entry in [entry for entry in self._working if entry.job is job]:
            self._working.remove(entry)
            entry.process.kill()
            entry.process.join()

    def wait(self, seconds: float) -> None:
        """Sleep until a process ends, so many seconds at most; show new messages of the runs."""
        wait([entry.process.sentinel for entry in self._working], timeout=seconds)
        self._messages.show(self.running)

    def __enter__(self) -> "Local":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what is still running."""
        for job in self.running:
            self.cancel(job)


def ended_with(job: Job, code: int | None) -> Ended:
    """Return what has become of a job whose process has ended with an exit code.

    Raises:
        OSError: if it found the disk full.
    """
    if code == worker.DISK_FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(job.folder))
    record = job.record()
    if record is not None:
        return Ended(job, record)
    return Ended(
        job,
        None,
        f"the process ended with exit code {code} and left no record"
        " (a negative code is a signal; with 9 the system often ran out of memory)",
    )
