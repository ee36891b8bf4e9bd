"""Where a set of runs stands: what runs where, what has ended and how, and the time left."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moebench.evidence.history_tail import Tail
from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.job import Job


@dataclass
class Underway:
    """A run under way, as far as its history tells.

    Args:
        job: the run.
        began: when it was submitted, or had last waited for a node, in unix seconds.
        history: its history.
    """

    job: Job
    began: float
    history: Tail
    where: str | None = ""  # name of the node; empty for this machine, None while it waits
    step: int = 0
    loss: float | None = None  # of the last validation
    origin: tuple[int, float] | None = None  # step and time of its first line since it began
    latest: float = 0.0  # time of its last line

    @property
    def name(self) -> str:
        """What a person calls it."""
        place = " (waits)" if self.where is None else f" on {self.where}" if self.where else ""
        return f"{self.job.arm} seed {self.job.seed}{place}"

    @property
    def steps(self) -> int | None:
        """How many steps it is to take; None if that is not known."""
        steps: int | None = self.job.experiment.config.get("trainer", {}).get("max_steps")
        return steps if steps is not None and steps > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How long its steps will take at its own pace; None until that is known."""
        if self.origin is None or self.steps is None or self.step <= self.origin[0]:
            return None
        first, since = self.origin
        return (self.latest - since) / (self.step - first) * max(0, self.steps - self.step)

    def look(self) -> None:
        """Read what its history has that is new."""
        for line in self.history.new_lines():
            self.step, self.latest = line["step"], line["time"]
            self.loss = line.get("valid/loss", self.loss)
            # A run that goes on from its checkpoint has lines of long ago.
            if self.origin is None and self.latest >= self.began:
                self.origin = self.step, self.latest


class Standing:
    """Keeps account of runs from what a scheduler reports.

    Args:
        known: of the runs that have ended before.
        clock: unix seconds, as in histories.
    """

    def __init__(
        self, known: Sequence[RunRecord] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self.left = 0
        self.endings = Counter(record.status for record in known)  # status -> runs
        self._clock = clock
        self._slots = 1
        self._underway: dict[tuple[str, int], Underway] = {}  # by arm and seed
        self._ended, self._seconds = 0, 0.0  # of the runs that were seen from start to end

    @property
    def done(self) -> int:
        """How many runs have ended."""
        return self.endings.total()

    @property
    def total(self) -> int:
        """How many runs there are, as far as that is known."""
        return self.done + self.left

    @property
    def underway(self) -> Sequence[Underway]:
        """What runs now, in the order of submission."""
        return list(self._underway.values())

    def update(self, engine: Engine, records: Sequence[RunRecord], left: int) -> None:
        """Take a report: the engine, the records since the last one, and how many are left."""
        now = self._clock()
        self.left, self._slots = left, max(1, engine.slots)
        self.endings.update(record.status for record in records)
        for record in records:
            if (over := self._underway.pop((record.arm, record.seed), None)) is not None:
                self._ended += 1
                self._seconds += now - over.began
        running = {(job.arm, job.seed): job for job in engine.running}
        for name in self._underway.keys() - running.keys():  # lost, or not worth finishing
            del self._underway[name]
        for name, job in running.items():
            if name not in self._underway:
                self._underway[name] = Underway(job, now, Tail(job.history_path))

    def look(self, engine: Engine) -> None:
        """See where the jobs run and what is new in their histories; that takes a while."""
        for one in self._underway.values():
            one.where = engine.where(one.job)
            if one.where is None:
                one.began = self._clock()
            one.look()

    @property
    def seconds_left(self) -> float | None:
        """The time until all have ended; None while nothing tells.

        Runs that wait take as long as those that have ended took on average, or as those that run
        are going to take; the latter go on at their own pace.
        """
        now = self._clock()
        known = [(now - one.began, one.seconds_left) for one in self.underway]
        whole = [spent + left for spent, left in known if left is not None]
        ended, seconds = (self._ended, self._seconds) if self._ended else (len(whole), sum(whole))
        if not ended:
            return None
        mean = seconds / ended
        rest = [max(0.0, mean - spent) if left is None else left for spent, left in known]
        rest += [mean] * (self.left - len(rest))  # of those that wait
        return max([sum(rest) / self._slots, *rest])
