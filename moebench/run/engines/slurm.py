"""The queue of a Slurm cluster, through submitit: each run is a job, several at once an array.

Slurm needs a file system that all nodes share. Whatever a run leaves is in its folder there, so
history, messages and record need no other way to the driver.
"""

import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout
from submitit.core.core import Job as Submitted
from submitit.core.utils import UncompletedJobError

from moebench.run.engine import Ended
from moebench.run.engines import EngineGoneError
from moebench.run.engines.engine_options import SlurmOptions
from moebench.run.engines.local import ended_with
from moebench.run.engines.slurm_commands import (
    NEW,
    Place,
    cancel,
    partitions,
    places,
    refuse_without_slurm,
)
from moebench.run.engines.slurm_room import chosen, minutes_of, room
from moebench.run.engines.slurm_submission import Submission, ticket_path
from moebench.run.job import Job
from moebench.run.messages import Messages, message_path
from moebench.run.place import held

LOOK_SECONDS = 0.25  # between looks for results
ASK_SECONDS = 10.0  # between questions to the controller, which all users of the cluster share
PATIENCE = 60.0  # seconds that it may be silent, as when it is restarted
log = logging.getLogger(__name__)


@dataclass
class Queued:
    """A job, and what Slurm knows it as."""

    job: Job
    slurm: "Submitted[int | None]"
    place: Place = NEW
    missed: int = 0  # how often it was found to be over without a result


class Slurm:
    """Jobs in the queue of a cluster. The driver watches their files, and asks where they are.

    A job may run while its ticket, a file beside its folder, is that of its submission. So one
    whose driver was killed gives way to the next driver's, wherever it is in the queue by then.

    Args:
        options: what every run asks for.
        workers: how many at once; None: as many as the nodes hold.

    Raises:
        ValueError: if this machine has no Slurm, or no node has room for a run.
        EngineGoneError: if the cluster does not answer.
    """

    def __init__(self, options: SlurmOptions, workers: int | None) -> None:
        refuse_without_slurm()
        partition = chosen(options, partitions())
        self.slots = room(options, partition) if workers is None else workers
        self._options = options
        self._submission = Submission(options, minutes_of(options, partition))
        self._waiting: list[Job] = []  # to be submitted together
        self._queued: dict[Path, Queued] = {}  # by the folder of the job
        self._messages = Messages()
        self._told = {"", "None"}  # reasons to wait, none and unknown among them
        self._asked = time.monotonic()  # the cluster, last
        self._silent_since: float | None = None  # it has not answered
        self._lost = False  # whether a run has left no record

    @property
    def running(self) -> list[Job]:
        """The jobs that are in the queue or on a node."""
        return [*self._waiting, *(entry.job for entry in self._queued.values())]

    def where(self, job: Job) -> str | None:
        """Return the node that a job is on; None while it is in the queue, or there again."""
        entry = self._queued.get(job.folder)
        return None if entry is None or entry.place.waits else entry.place.node

    def submit(self, job: Job) -> None:
        """Take a job; it is submitted with all that come before the next wait."""
        job.note_code()
        message_path(job).unlink(missing_ok=True)  # of an earlier attempt
        self._waiting.append(job)

    def ended(self) -> list[Ended]:
        """Return the jobs that have ended since the last call.

        Raises:
            OSError: if one of them found the disk full.
        """
        over = self._over()
        self._messages.show([entry.job for entry in over])
        return [self._end(entry) for entry in over]

    def prune(self, job: Job) -> None:
        """Leave the file that its worker looks for before every step."""
        job.prune_path.touch()

    def cancel(self, job: Job) -> None:
        """End a job, and wait for its worker to be gone."""
        self._waiting = [one for one in self._waiting if one is not job]
        self._cancel([entry for entry in self._queued.values() if entry.job is job])
        with contextlib.suppress(Timeout), held(job, PATIENCE):
            pass

    def wait(self, seconds: float) -> None:
        """Submit what has come, then sleep until a job ends, so many seconds at most.

        Raises:
            ValueError: if the cluster refuses the jobs.
            EngineGoneError: if it has been silent for too long.
        """
        self._submit()
        if self._queued and time.monotonic() - self._asked > ASK_SECONDS:
            self._ask()
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._over():
            time.sleep(LOOK_SECONDS)
        self._messages.show(self.running)

    def __enter__(self) -> "Slurm":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what is still in the queue or runs; if the cluster is silent, leave it there."""
        if self._silent_since is not None:
            return
        for job in self._waiting:
            ticket_path(job).unlink(missing_ok=True)
        self._cancel(list(self._queued.values()))
        if not self._lost:
            self._submission.remove()

    def _submit(self) -> None:
        """Submit the jobs that have come; if the cluster does not answer, later."""
        while batch := self._waiting[: self._options.array_size]:
            try:
                submitted = self._submission(batch)
            except RuntimeError as error:
                if not self._ask():
                    return
                raise ValueError(f"engine=slurm: {error}") from error
            for job, slurm in zip(batch, submitted, strict=True):
                self._queued[job.folder] = Queued(job, slurm)
            del self._waiting[: len(batch)]

    def _over(self) -> list[Queued]:
        """Return the jobs that have left a result, or the queue without one."""
        # A listing: that a single file was absent, a machine may believe for a while of another's.
        names = {path.name for path in self._submission.files()}
        return [
            entry
            for entry in self._queued.values()
            if entry.slurm.paths.result_pickle.name in names or entry.missed > 1
        ]

    def _ask(self) -> bool:
        """Ask where the jobs are; say whether the cluster has answered.

        Raises:
            EngineGoneError: if it has been silent for too long.
        """
        try:
            found = places()
        except EngineGoneError as error:
            self._silent_since = self._silent_since or time.monotonic()
            if time.monotonic() - self._silent_since > PATIENCE:
                told = "what is finished is kept, and the same command goes on"
                raise EngineGoneError(f"{error}; {told}") from error
            return False
        finally:
            self._asked = time.monotonic()
        self._silent_since = None
        for entry in self._queued.values():
            entry.place = found.get(entry.slurm.job_id, Place("gone"))
            entry.missed += entry.place.ended or entry.place.state == "gone"
        reasons = {entry.place.reason for entry in self._queued.values() if entry.place.waits}
        for reason in sorted(reasons - self._told):
            log.warning("runs wait in the queue of Slurm: %s", reason)
        self._told |= reasons
        return True

    def _end(self, entry: Queued) -> Ended:
        """Return what has become of a job, and leave nothing behind but the output of a lost one.

        Raises:
            OSError: if it found the disk full.
        """
        del self._queued[entry.job.folder]
        ticket_path(entry.job).unlink(missing_ok=True)
        found = _ended(entry)
        if found.record is None:
            self._lost = True
        else:
            paths = entry.slurm.paths
            for path in (paths.submitted_pickle, paths.result_pickle, paths.stdout, paths.stderr):
                path.unlink(missing_ok=True)
        return found

    def _cancel(self, entries: Sequence[Queued]) -> None:
        for entry in entries:
            del self._queued[entry.job.folder]
            ticket_path(entry.job).unlink(missing_ok=True)
        with contextlib.suppress(EngineGoneError):  # without a ticket it ends by itself
            cancel(entry.slurm.job_id for entry in entries)


def _ended(entry: Queued) -> Ended:
    """Return what has become of a job that has left a result, or left the queue without one.

    Raises:
        OSError: if it found the disk full.
    """
    job, paths = entry.job, entry.slurm.paths
    if not paths.result_pickle.exists():
        why = f"Slurm's job {entry.slurm.job_id} is {entry.place.state}; its output: {paths.stderr}"
        return Ended(job, job.record(), why)
    try:
        code = entry.slurm.result()
    except UncompletedJobError as error:
        return Ended(job, job.record(), str(error))
    return ended_with(job, code)
