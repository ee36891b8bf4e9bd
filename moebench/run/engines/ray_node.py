"""What happens on a node of a Ray cluster: one run, in a process of its own as on any machine.

A run works in a folder of the node, or in one that all nodes share. It is named after the run, so
an attempt that finds the folder of an earlier one goes on from its checkpoint.
"""

import hashlib
import os
import pickle
import shutil
import socket
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ray
from filelock import FileLock

from moebench import __version__
from moebench.run.engines.ray_mailbox import CANCEL, PRUNE, Began, Growing
from moebench.run.threads import VARIABLE

if TYPE_CHECKING:  # it needs torch, for which a node may have another version
    from moebench.run.engine import Ended
    from moebench.run.job import Job

POLL_SECONDS = 0.5
CACHE = "MOEBENCH_CACHE"


class Asked(NamedTuple):
    """What a node needs to know; plain, so that a node with another version can read it."""

    key: str
    version: str  # of moebench
    source: str  # digest of its code that the run uses
    threads: int
    shared_folder: str  # empty: each node has its own
    job: bytes
    files: Mapping[str, bytes]  # by name: what the folder of the run has


class Left(NamedTuple):
    """What a run has left."""

    files: Mapping[str, bytes]
    why: str = ""  # it has no record, in words


def carry_out(asked: Asked, mailbox: Any) -> Left:
    """Carry out a run and return the files in its folder; nothing if it was cancelled.

    Raises:
        ValueError: if the node is not like the driver.
        OSError: if its disk is full.
    """
    root = _root(asked.shared_folder)
    os.environ[VARIABLE] = str(asked.threads)  # not as many as Ray has cores for it
    os.environ.setdefault(CACHE, str(root / "cache"))
    job = _job(asked)
    place = root / "runs" / _name(job)
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = place.with_name(f".{place.name}.lock")
    with FileLock(lock, fallback_to_soft=False):  # an earlier attempt may not have ended yet
        job = replace(job, folder=place / "run")
        job.folder.mkdir(parents=True, exist_ok=True)
        if not job.checkpoint_path.exists():
            unpack(asked.files, job.folder)
        left = _run(job, asked.key, mailbox)
        if left.files:
            shutil.rmtree(place)
            lock.unlink()
    return left


def _run(job: "Job", key: str, mailbox: Any) -> Left:
    from moebench.run.engines.local import Local
    from moebench.run.messages import message_path

    attempt = uuid.uuid4().hex
    began = Began(key, node_name(), job.checkpoint_path.exists())
    ray.get(mailbox.begin.remote(attempt, began))
    message_path(job).unlink(missing_ok=True)
    growing = [Growing(job.history_path, key), Growing(message_path(job), key)]
    with Local(1) as engine:
        engine.submit(job)
        over: list[Ended] = []
        while not over:
            engine.wait(POLL_SECONDS)
            over = engine.ended()
            pieces = [piece for file in growing for piece in file.new()]
            told = ray.get(mailbox.post.remote(attempt, key, pieces))
            if told == PRUNE:
                engine.prune(job)
            elif told == CANCEL:
                return Left({})
    return Left(files_of(job.folder), over[0].why)


def _job(asked: Asked) -> "Job":
    """Return the job.

    Raises:
        ValueError: if the driver has another version, or other code.
    """
    name = f"engine=ray: node {node_name()}"
    if asked.version != __version__:
        raise ValueError(f"{name} has moebench {__version__}, the driver {asked.version}")
    job: Job = pickle.loads(asked.job)
    # A copy knows nothing yet, and reads what is on this node.
    if replace(job.experiment).source != asked.source:
        raise ValueError(f"{name} has other code of moebench {__version__} than the driver")
    return job


def _root(shared_folder: str) -> Path:
    """Return the folder for all runs of the node.

    Raises:
        ValueError: if it is to be a shared one that the node does not see.
    """
    if not shared_folder:
        return Path(tempfile.gettempdir()) / f"moebench-{os.getuid()}"
    if not Path(shared_folder).is_dir():
        raise ValueError(
            f"engine=ray: shared_folder={shared_folder}: node {node_name()} has no such folder"
        )
    return Path(shared_folder)


def _name(job: "Job") -> str:
    """Return the name of a run's folder: the same for the same run of the same driver."""
    return hashlib.sha256(f"{job.folder}\n{job.identity}\n{job.seed}".encode()).hexdigest()[:20]


def node_name() -> str:
    """Return what this node is called, to people as well."""
    address = ray.util.get_node_ip_address()
    return f"{socket.gethostname()} ({address})"


def files_of(folder: Path) -> dict[str, bytes]:
    """Return name -> content of the files in a folder."""
    names = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in names if not path.name.startswith(".")}


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder, each whole or not at all; a record comes last."""
    for name in sorted(files, key=lambda name: (name == "record.json", name)):
        part = folder / f".{name}"
        part.write_bytes(files[name])
        part.replace(folder / name)
