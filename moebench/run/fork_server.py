"""The server whose forks the workers are: it has imported everything and run nothing.

A plain fork would copy a process with threads; a fresh interpreter would import for seconds.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from types import ModuleType

from moebench.run.threads import VARIABLE, threads_asked


def context() -> ForkServerContext:
    """Return what starts processes as forks of the server."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["moebench.run.preload"])
    return found


def start_server() -> None:
    """Start the server, unless it runs already: it imports while its caller goes on."""
    # Read when the server starts: OpenMP looks at it once, when torch is imported.
    os.environ[VARIABLE] = str(threads_asked())
    context()
    with program_hidden():
        forkserver.ensure_running()


@contextmanager
def program_hidden() -> Iterator[None]:
    """Let a process that starts find no program: it would run all that a script has on its top."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program
