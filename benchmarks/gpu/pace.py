"""How fast runs are side by side, and which of them end in time."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from moebench.evidence.record_files import read_history
from moebench.run.job import Job

SETTLED = 20.0  # seconds in which a pace shows
SPARE = 0.9  # of the steps that the time has room for: to begin and to end a run takes some, too


def steps_of(job: Job) -> int:
    """Return the steps that a run has; a function has none."""
    return int(job.experiment.config.get("trainer", {}).get("max_steps", 0))


def taken(job: Job) -> int:
    """Return the steps that a run has taken, as far as it has written."""
    lines = read_history(job.history_path)
    return int(lines[-1]["step"]) if lines else 0


def kept(left: Sequence[int], pace: float, seconds: float) -> int:
    """Return how many runs, from the first on, end in time; one goes on whether it does or not.

    Args:
        left: steps that each has left, the runs of most worth first.
        pace: steps a second of all together; fewer share it among themselves.
        seconds: that are left.
    """
    together = 0
    for number, steps in enumerate(left):
        together += steps
        if together > SPARE * pace * seconds:
            return max(1, number)
    return len(left)


class Pace:
    """Steps a second of all runs together; None until it has shown.

    Args:
        now: tells the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._now = now
        self._since = 0.0
        self._then: dict[Path, int] = {}

    def look(self, jobs: Sequence[Job]) -> None:
        """See how far the runs are; whenever others run, or one has not begun, it starts anew."""
        steps = {job.folder: taken(job) for job in jobs if steps_of(job)}
        now = self._now()
        if not steps:
            return
        if set(steps) != set(self._then) or not all(self._then.values()):
            self._then, self._since = steps, now
        elif now - self._since >= SETTLED:
            made = sum(steps.values()) - sum(self._then.values())
            self.rate = made / (now - self._since)
            self._then, self._since = steps, now
