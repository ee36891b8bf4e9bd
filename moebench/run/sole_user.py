"""A folder of runs has one driver at a time; or, of runs that are independent, each run has."""

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from moebench.evidence.record_files import write_whole

HOLDER = ".driver"  # file beside the lock with the name of its holder


def own_name() -> str:
    """Return what this process is called where others read of it."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def holder_of(folder: Path) -> str:
    """Return what the process that has locked a folder of runs is called; empty if none has."""
    if not folder.is_dir():
        return ""
    try:
        with _lock(folder):
            return ""
    except Timeout:
        return _noted(folder) or "a process"


def _noted(folder: Path) -> str:
    """Return the name that the last process to lock a folder has left; empty if it has not yet."""
    holder = folder / HOLDER
    return holder.read_text(encoding="utf-8").strip() if holder.exists() else ""


def _lock(folder: Path) -> AbstractContextManager[object]:
    """Lock a folder at once; raises Timeout if somebody has.

    Never by a file whose existence is the lock: it would outlive a process that is killed.
    """
    return FileLock(folder / ".lock", fallback_to_soft=False).acquire(blocking=False)


@contextmanager
def sole_user(folder: Path, place: Path | None = None) -> Iterator[None]:
    """Lock a folder of runs for this process; the lock goes with the process, however that ends.

    Args:
        folder: of runs, or of a single run.
        place: folder in which the lock is; None: that one.

    Raises:
        ValueError: if another process holds the lock; names it.
    """
    place = place or folder
    place.mkdir(parents=True, exist_ok=True)
    try:
        lock = _lock(place)
    except Timeout:
        told = f" ({who})" if (who := _noted(place)) else ""
        raise ValueError(f"{folder}: another process{told} is running experiments here") from None
    with lock:
        write_whole(place / HOLDER, own_name() + "\n")
        yield
