"""What carries out runs: processes of this machine, or machines of others.

The driver is the one process that decides what runs, and the only one that writes studies, results
and MLflow; an engine only carries out jobs. Whatever it does to bring them there, while a job runs
`history.jsonl` grows in the job's folder on the driver's machine, and in the end `record.json` is
in it (and `records.jsonl`, where the run has several seeds).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

from moebench.evidence.record import RunRecord
from moebench.run.job import Job


class Ended(NamedTuple):
    """A job that is over."""

    job: Job
    record: RunRecord | None  # None: its worker was lost and left none
    why: str = ""  # it was lost, in words


class Engine(Protocol):
    """Carries out jobs; a context manager that ends those still running on exit."""

    @property
    def slots(self) -> int:
        """How many jobs run at once."""

    @property
    def running(self) -> Sequence[Job]:
        """The jobs that were submitted and have not ended."""

    def where(self, job: Job) -> str | None:
        """Return the node that a job is on, empty for this machine; None while it waits for one."""

    def submit(self, job: Job) -> None:
        """Start a job; called only while fewer run than there are slots."""

    def ended(self) -> list[Ended]:
        """Return the jobs that have ended since the last call.

        Raises:
            OSError: if one of them found the disk full.
        """

    def prune(self, job: Job) -> None:
        """End a running job early: its record will say that it was pruned."""

    def cancel(self, job: Job) -> None:
        """End a running job at once; it leaves no record, and can go on from its checkpoint."""

    def wait(self, seconds: float) -> None:
        """Return as soon as a job ends, and after so many seconds at the latest."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(self, *_: object) -> None:
        """Cancel what still runs."""
