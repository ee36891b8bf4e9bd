"""Folders of the cache while they are being made: nobody reads them, and none is left behind."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from platform import node

from filelock import FileLock, Timeout


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Lend an empty folder to fill, which the caller renames once it is whole.

    Only one process of a machine at a time makes a folder; others that ask for it wait. What killed
    processes of this machine left behind is removed first, whatever they were making.

    Args:
        folder: the one that is to be made.
    """
    place = folder.parent
    place.mkdir(parents=True, exist_ok=True)
    with _lock(place, folder.name):
        _remove_leftovers(place, folder.name)
        # Locks hold within one machine only, so a machine removes only what bears its name.
        made = place / f".{folder.name}.{node()}.{uuid.uuid4().hex}"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _lock(place: Path, name: str, blocking: bool = True) -> AbstractContextManager[object]:
    """Return the lock of a folder, which lies outside `place` as it outlives a killed process."""
    return FileLock(place.with_name(f".{name}.lock"), blocking=blocking, fallback_to_soft=False)


def _remove_leftovers(place: Path, own: str) -> None:
    """Remove the unfinished folders that nobody works in, given that we hold the lock of `own`."""
    for left in place.glob(f".*.{node()}.*"):
        name = left.name.split(".")[1]
        with suppress(Timeout), nullcontext() if name == own else _lock(place, name, False):
            shutil.rmtree(left, ignore_errors=True)
