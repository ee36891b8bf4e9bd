"""A folder of runs has one driver at a time."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from moebench.evidence.record_files import write_whole

HOLDER = ".driver"  # file beside the lock with the name of its holder


def own_name() -> str:
    """Return what this process is called where others read of it."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Lock a folder of runs for this process; the lock goes with the process, however that ends.

    Raises:
        ValueError: if another process holds the lock; names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Never a lock made of a file that exists: it would outlive a process that is killed.
        lock = FileLock(folder / ".lock", fallback_to_soft=False).acquire(blocking=False)
    except Timeout:
        holder = folder / HOLDER
        who = holder.read_text(encoding="utf-8").strip() if holder.exists() else ""
        told = f" ({who})" if who else ""
        raise ValueError(f"{folder}: another process{told} is running experiments here") from None
    with lock:
        write_whole(folder / HOLDER, own_name() + "\n")
        yield
