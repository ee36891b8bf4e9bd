"""Messages of running jobs: logged to files beside their folders, each shown once by the parent.

All runs of an arm, and most arms of a paper, log the same messages, so workers write them to files
instead of the terminal.
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


def write_messages(job: Job, rank: int = 0) -> None:
    """Log to the message file of a job from now on, a line per message; it is overwritten.

    Of several processes that train together, the first speaks for all; the others add their errors.
    """
    message_path(job).parent.mkdir(parents=True, exist_ok=True)
    mode, level = ("a", logging.ERROR) if rank else ("w", logging.WARNING)
    handler = logging.FileHandler(message_path(job), mode=mode, encoding="utf-8")
    handler.setLevel(level)
    logger = logging.getLogger("moebench")
    logger.addHandler(handler)
    logger.propagate = False


class Messages:
    """Shows each message once on stderr, with the arm that logged it first."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def show(self, jobs: Iterable[Job]) -> None:
        """Show the new messages of running jobs."""
        for job in jobs:
            path = message_path(job)
            written = path.read_bytes() if path.exists() else b""
            complete = written[: written.rfind(b"\n") + 1]  # half a character cannot be decoded
            for line in complete.decode(errors="replace").splitlines():
                if line not in self._shown:
                    self._shown.add(line)
                    tqdm.write(f"{job.arm}: {line}", file=sys.stderr)
