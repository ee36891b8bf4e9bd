"""How much time is left, for the whole command and for the current stage."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(Exception):
    """The time limit has passed."""


class Clock:
    """A countdown.

    Args:
        seconds: its length.
        now: returns the time in seconds, from any origin.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._over = now() + seconds

    @property
    def left(self) -> float:
        """Seconds left; zero once it is over."""
        return max(0.0, self._over - self._now())

    def part(self, share: float) -> "Clock":
        """Return a clock for a share of the time left."""
        return Clock(share * self.left, self._now)

    def shorter(self, seconds: float) -> "Clock":
        """Return a clock that ends this many seconds earlier."""
        return Clock(self.left - seconds, self._now)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the body after this many seconds; in the main thread only.

    A running kernel finishes first.
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
