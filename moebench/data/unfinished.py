"""Folders of the cache while they are made: nobody reads them, and none of them stays."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from platform import node

from filelock import FileLock, Timeout


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Lend an empty folder to make another one in, which gets its name by being renamed.

    Of several processes of a machine that make the same one, the others wait. What processes of
    this machine left that were killed is removed first, whatever they made.

    Args:
        folder: the one that is made.
    """
    place = folder.parent
    place.mkdir(parents=True, exist_ok=True)
    with _lock(place, folder.name):
        _remove_leftovers(place, folder.name)
        # Locks are sure on one machine alone, so a machine removes only what has its name.
        made = place / f".{folder.name}.{node()}.{uuid.uuid4().hex}"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _lock(place: Path, name: str, blocking: bool = True) -> AbstractContextManager[object]:
    """Return the lock of a folder, which lies outside of `place` as it outlives who is killed."""
    return FileLock(place.with_name(f".{name}.lock"), blocking=blocking, fallback_to_soft=False)


def _remove_leftovers(place: Path, own: str) -> None:
    """Remove the unfinished folders that nobody works in, given that we hold the lock of `own`."""
    for left in place.glob(f".*.{node()}.*"):
        name = left.name.split(".")[1]
        with suppress(Timeout), nullcontext() if name == own else _lock(place, name, False):
            shutil.rmtree(left, ignore_errors=True)
