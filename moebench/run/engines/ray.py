"""Tasks on a Ray cluster: Ray finds the places, and others when nodes are lost."""

import logging
import pickle
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from moebench import __version__
from moebench.run.engine import Ended
from moebench.run.engines.engine_options import RayOptions
from moebench.run.engines.own_process import OwnProcess
from moebench.run.engines.ray_cluster import Cluster, gone
from moebench.run.engines.ray_mailbox import CANCEL, PRUNE, Began, Piece
from moebench.run.engines.ray_node import Asked, Left, files_of, unpack
from moebench.run.job import Job
from moebench.run.messages import Messages, message_path
from moebench.run.place import held
from moebench.run.recording import start_clean
from moebench.run.threads import threads_asked

log = logging.getLogger(__name__)


@dataclass
class Submitted:
    """A job that Ray has."""

    job: Job
    node: str = ""  # that it began on last


class Ray:
    """Runs on a cluster; what they write comes back into the folders of their jobs.

    Args:
        options: which cluster, and what a run asks for.
        workers: how many runs at once; None: as many as there is room for.

    Raises:
        EngineGoneError: if the cluster cannot be reached.
        ValueError: if none of its nodes has what a run asks for.
    """

    def __init__(self, options: RayOptions, workers: int | None) -> None:
        self._workers = workers
        self._shared_folder = options.shared_folder
        self._room = 1
        self._submitted: dict[str, Submitted] = {}
        self._ended: list[Ended] = []
        self._nodes: dict[Path, str] = {}  # folder of a job that has no record -> where it was last
        self._messages = Messages()
        self._cluster = OwnProcess(Cluster, options, gone=gone(options))
        self._see(0)

    @property
    def slots(self) -> int:
        """How many jobs run at once; with more than there is room for, some wait with Ray."""
        return self._room if self._workers is None else self._workers

    @property
    def running(self) -> list[Job]:
        """The jobs that Ray has."""
        return [entry.job for entry in self._submitted.values()]

    def where(self, job: Job) -> str | None:
        """Return the node that a job is on; None while it waits for one."""
        nodes = (one.node for one in self._submitted.values() if one.job is job)
        return next(nodes, "") or None

    def submit(self, job: Job) -> None:
        """Hand a job to Ray, with the checkpoint of an earlier attempt if it came back.

        Raises:
            ValueError: if no node has what it asks for.
        """
        with held(job):
            known = start_clean(job)
        known.note_code()
        message_path(job).unlink(missing_ok=True)  # of an earlier attempt
        key = f"{job.arm}:{job.seed}:{uuid.uuid4().hex[:8]}"
        asked = Asked(
            key=key,
            version=__version__,
            source=known.experiment.source,
            threads=threads_asked(),
            shared_folder=self._shared_folder,
            job=pickle.dumps(replace(known, folder=job.folder.absolute())),
            files=files_of(job.folder) if job.checkpoint_path.exists() else {},
        )
        self._cluster.call(Cluster.submit, asked, job.devices)
        self._submitted[key] = Submitted(job)

    def ended(self) -> list[Ended]:
        """Return the jobs that have ended since the last call."""
        ended, self._ended = self._ended, []
        self._messages.show([one.job for one in ended])
        return ended

    def prune(self, job: Job) -> None:
        """Send its node a word."""
        for key, entry in self._submitted.items():
            if entry.job is job:
                self._cluster.call(Cluster.tell, key, PRUNE)

    def cancel(self, job: Job) -> None:
        """Send its node a word; what still comes of it is for nobody."""
        for key in [key for key, entry in self._submitted.items() if entry.job is job]:
            self._cluster.call(Cluster.tell, key, CANCEL)
            del self._submitted[key]

    def wait(self, seconds: float) -> None:
        """Fetch what is new from the cluster, and show new messages of the runs."""
        self._see(seconds)
        self._messages.show(self.running)

    def __enter__(self) -> "Ray":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster, which then ends what still runs."""
        self._cluster.close()

    def _see(self, seconds: float) -> None:
        """Bring jobs up to date.

        Raises:
            EngineGoneError: if the cluster is gone.
            ValueError: if a node is not like the driver.
            OSError: if the disk of a node is full.
        """
        seen = self._cluster.call(Cluster.see, seconds)
        for one in seen.news:
            if (entry := self._submitted.get(one.key)) is None:
                continue
            if isinstance(one, Began):
                self._began(entry, one)
            else:
                one.write(_copy(entry.job, one))
        refused: list[Exception] = []
        for key, left in seen.over:
            entry = self._submitted.pop(key, None)
            if isinstance(left, Exception):
                refused.append(left)
            elif entry is not None:
                self._over(entry.job, left)
        if refused:
            raise refused[0]
        if self._room and not seen.room:
            log.warning("engine=ray: no node is left that has room for a run; waiting for one")
        self._room = seen.room

    def _began(self, entry: Submitted, began: Began) -> None:
        """Note where a run has begun; say so if it had before."""
        job, entry.node = entry.job, began.node
        if before := self._nodes.get(job.folder):
            how = "goes on from its checkpoint" if began.goes_on else "begins again"
            name = f"{job.arm} seed {job.seed}"
            log.warning("%s: was lost on %s and %s on %s", name, before, how, began.node)
        self._nodes[job.folder] = began.node
        job.checkpoint_path.unlink(missing_ok=True)  # the node has it, and history is of there

    def _over(self, job: Job, left: Left) -> None:
        unpack(left.files, job.folder)
        if (record := job.record()) is not None:
            self._nodes.pop(job.folder, None)
        self._ended.append(Ended(job, record, left.why))


def _copy(job: Job, piece: Piece) -> Path:
    """Return the file on this machine of which a node has sent a piece."""
    return job.history_path if piece.file == job.history_path.name else message_path(job)
