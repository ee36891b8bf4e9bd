"""What runs have to say while they run: written beside their folders, shown by the parent once.

Every run of an arm would say the same, and so would most arms of a paper, so a worker's log goes to
a file and not to the terminal.
"""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from moebench.run.job import Job


def message_path(job: Job) -> Path:
    """Return the file of a job's messages; it lies outside the folder, which may move."""
    return job.folder.with_name(f".{job.folder.name}.log")


def write_messages(job: Job) -> None:
    """Send what this process logs to the file of a job, a line a message; the file begins anew."""
    message_path(job).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(message_path(job), mode="w", encoding="utf-8")
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger("moebench")
    logger.addHandler(handler)
    logger.propagate = False


class Messages:
    """Shows on stderr each message that it has not shown yet, with the arm that had it first."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def show(self, jobs: Iterable[Job]) -> None:
        """Look at the files of running jobs."""
        for job in jobs:
            path = message_path(job)
            written = path.read_bytes() if path.exists() else b""
            complete = written[: written.rfind(b"\n") + 1]  # half a letter cannot be read
            for line in complete.decode(errors="replace").splitlines():
                if line not in self._shown:
                    self._shown.add(line)
                    tqdm.write(f"{job.arm}: {line}", file=sys.stderr)
