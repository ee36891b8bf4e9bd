"""Sources of runs that can be paused and stopped from another terminal."""

import logging
from collections.abc import Sequence
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.run.driver_requests import PAUSE, STOP, take_request
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.sources import Source, Sources

log = logging.getLogger(__name__)


class Pausable:
    """Sources that start nothing while paused, and end when asked to stop.

    Args:
        folder: of the runs; this process has locked it. What was asked of an earlier driver is
            forgotten.
        sources: asked for runs in this order.
    """

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        self._sources = Sources(sources)
        self._folder = folder
        self._paused = False
        take_request(folder)

    @property
    def done(self) -> bool:
        """Whether all are done."""
        return self._sources.done

    @property
    def left(self) -> int:
        """How many runs have not ended."""
        return self._sources.left

    def next(self) -> Job | None:
        """Return a run to start now; None while paused."""
        return None if self._paused else self._sources.next()

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Hand a record to the source of its run."""
        return self._sources.ended(job, record)

    def watch(self, engine: Engine) -> None:
        """Let the sources look at their runs, then see what is asked for.

        Raises:
            KeyboardInterrupt: to stop, as if asked at the terminal of this process.
        """
        self._sources.watch(engine)
        if request := take_request(self._folder):
            if request == STOP:
                raise KeyboardInterrupt
            self._paused = request == PAUSE
            log.warning("%s: %s", self._folder, "paused" if self._paused else "goes on")
