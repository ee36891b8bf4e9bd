"""The processes that train one run together, one per device, as torchrun would start them.

The worker is the first of them and starts the others. Lightning's own launchers will not do: they
run the command line again, which is that of the driver, or leave the trained objects in another
process. All are on one machine and live and die together, whichever of them is killed.
"""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn, Self

import torch.distributed as dist

from moebench.moe.devices import device_count

# Of a killed process, others first see broken connections. They wait so long before they call that
# a failure of their own, and are ended meanwhile.
PATIENCE = 2.0  # seconds
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


class Ranks:
    """The processes of one run, seen from the first; a context manager that ends the others.

    They are forks, for this process has run nothing yet and so has no threads.

    Args:
        count: number of processes.
        follow: what the others do, given their number and what the first one tells them.
    """

    def __init__(self, count: int, follow: Callable[[int, Any], None]) -> None:
        self.count = count
        self._ended = False
        self._others: list[BaseProcess] = []
        self._pipes: list[Connection] = []
        self._folder = tempfile.TemporaryDirectory() if count > 1 else None
        context = multiprocessing.get_context("fork")
        for rank in range(1, count):
            theirs, ours = context.Pipe(duplex=False)
            arguments = (follow, rank, count, self._meeting, theirs)
            process = context.Process(target=_follow, args=arguments, daemon=True)
            process.start()
            self._others.append(process)
            self._pipes.append(ours)

    def tell(self, what: Any) -> None:
        """Let the others begin, and meet them."""
        for pipe in self._pipes:
            pipe.send(what)
        if self._others:
            threading.Thread(target=self._watch, daemon=True).start()
            meet(0, self.count, self._meeting)

    def end(self) -> None:
        """End the others: they have nothing left to do, or nothing that counts."""
        self._ended = True
        for process in self._others:
            process.kill()
            process.join()
        if self._folder is not None:
            self._folder.cleanup()
        if device_count() > 1:
            dist.destroy_process_group()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the others."""
        self.end()

    @property
    def _meeting(self) -> Path:
        return Path(self._folder.name if self._folder else "") / "meeting"

    def _watch(self) -> None:
        """End this process as soon as one of the others has ended before it should."""
        left = {process.sentinel: process for process in self._others}
        while left:
            for sentinel in wait(list(left)):
                process = left.pop(sentinel)  # type: ignore[arg-type]
                process.join()
                if process.exitcode and not self._ended:
                    os._exit(max(1, process.exitcode))


def _follow(
    follow: Callable[[int, Any], None], rank: int, count: int, meeting: Path, told: Connection
) -> None:
    """Be one of the others, until the first one ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    what = told.recv()
    meet(rank, count, meeting)
    follow(rank, what)


def _end_with_parent() -> NoReturn:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def meet(rank: int, count: int, meeting: Path) -> None:
    """Join the group of processes, and let Lightning find itself in it.

    Args:
        rank: number of this process.
        count: number of processes.
        meeting: a file by which they meet, so that no port has to be found or is open to others.
    """
    os.environ.update(
        {"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0"}
        | {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
        | {"TORCHELASTIC_RUN_ID": "moebench"}  # by which Lightning knows that it starts nothing
    )
    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    store = dist.FileStore(str(meeting), count)  # type: ignore[attr-defined]
    dist.init_process_group(store=store, rank=rank, world_size=count)


def outlive(rank: int) -> None:
    """Wait until it is known whether an error is one of this process: then it is still alive.

    The first process waits least, as it ends the others and so decides.
    """
    if device_count() > 1:
        time.sleep(PATIENCE if rank == 0 else 3 * PATIENCE)
