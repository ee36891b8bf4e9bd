"""How much time is left: of the whole command, and of the stage that is under way."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(Exception):
    """The time that something had is over."""


class Clock:
    """Counts down.

    Args:
        seconds: until it is over.
        now: what tells the time, in seconds from any point on.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._over = now() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, none once it is over."""
        return max(0.0, self._over - self._now())

    def part(self, share: float) -> "Clock":
        """Return a clock of a share of what is left."""
        return Clock(share * self.left, self._now)

    def shorter(self, seconds: float) -> "Clock":
        """Return a clock that is over so much earlier."""
        return Clock(self.left - seconds, self._now)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in what is done here once it has taken so long; in the main thread only.

    A kernel that is under way ends first.
    """

    def over(_: int, __: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
