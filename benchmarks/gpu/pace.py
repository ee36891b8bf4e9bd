"""How fast parallel runs are, and which of them can finish in time."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from moebench.evidence.record_files import read_history
from moebench.run.job import Job

SETTLED = 20.0  # seconds until the pace is known
SPARE = 0.9  # share of the time for steps; starting and ending a run takes time as well


def steps_of(job: Job) -> int:
    """Return the number of steps of a run; zero for a function."""
    return int(job.experiment.config.get("trainer", {}).get("max_steps", 0))


def taken(job: Job) -> int:
    """Return the number of steps a run has taken, according to its history."""
    lines = read_history(job.history_path)
    return int(lines[-1]["step"]) if lines else 0


def kept(left: Sequence[int], pace: float, seconds: float) -> int:
    """Return how many runs, from the first on, can finish in time; at least one.

    Args:
        left: steps left in each run, the most valuable runs first.
        pace: steps per second of all runs together, however many there are.
        seconds: time left.
    """
    together = 0
    for number, steps in enumerate(left):
        together += steps
        if together > SPARE * pace * seconds:
            return max(1, number)
    return len(left)


class Pace:
    """Steps per second of all runs together; None until it is known.

    Args:
        now: returns the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._now = now
        self._since = 0.0
        self._then: dict[Path, int] = {}

    def look(self, jobs: Sequence[Job]) -> None:
        """Note the runs' progress; start over when the set of runs changes or one has not begun."""
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
