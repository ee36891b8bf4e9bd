"""An object in a process of its own: what it loads may be loud, and may end the process at will.

Libraries of clusters do both. Their threads, signal handlers and exits stay away from the driver,
which is told in words when the process is gone.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from moebench.run.engines import EngineGoneError
from moebench.run.fork_server import program_hidden

SECONDS = 180.0  # to make the object
PATIENCE = 10.0  # seconds for the process to end by itself

Kept = TypeVar("Kept")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class OwnProcess(Generic[Kept]):
    """Makes an object in a fresh process, whose methods are called through a pipe.

    Args:
        make: makes the object; arguments and answers of its methods, and errors, can be pickled.
        *given: its arguments.
        gone: what to say when the process has ended or does not answer.

    Raises:
        EngineGoneError: if the object is not made in time, or the process ends.
        Exception: what `make` raises.
    """

    def __init__(self, make: Callable[..., Kept], *given: object, gone: str) -> None:
        self._gone = gone
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, given), daemon=True)
        with program_hidden():
            self._process.start()
        theirs.close()
        try:
            if not self._pipe.poll(SECONDS):
                raise EngineGoneError(gone)
            self._answer()
        except BaseException:
            self._process.kill()
            raise

    def call(
        self,
        method: Callable[Concatenate[Kept, Given], Answer],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Answer:
        """Call a method of the object and return its answer.

        Raises:
            EngineGoneError: if the process is gone.
            Exception: what the method raises.
        """
        try:
            self._pipe.send((method.__name__, given, named))
        except OSError:
            raise EngineGoneError(self._gone) from None
        answer: Answer = self._answer()
        return answer

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()

    def _answer(self) -> Any:
        try:
            answer, error = self._pipe.recv()
        except (EOFError, OSError):
            raise EngineGoneError(self._gone) from None
        if error is not None:
            raise error
        return answer


def _serve(pipe: Connection, make: Callable[..., object], given: tuple[object, ...]) -> None:
    """Make the object and answer calls until the driver hangs up or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with contextlib.suppress(EOFError, OSError):
        try:
            kept = make(*given)
        except Exception as error:
            pipe.send((None, error))
            return
        pipe.send((None, None))
        while True:
            name, arguments, named = pipe.recv()
            try:
                pipe.send((getattr(kept, name)(*arguments, **named), None))
            except Exception as error:
                pipe.send((None, error))
