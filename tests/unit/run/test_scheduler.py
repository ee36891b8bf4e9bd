"""The scheduler on an engine that carries out nothing, with a clock of its own."""

import heapq
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from moebench.evidence.record import RunRecord
from moebench.run.engine import Ended, Engine
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import JobList
from moebench.run.scheduler import Scheduler
from moebench.run.sources import Source
from moebench.testing.jobs import record_of

FUNCTION = Function("math:sqrt")


class Simulated:
    """Runs jobs in virtual time.

    Args:
        slots: how many at once.
        seconds: of the n-th job that is submitted; it is lost where they are negative.
    """

    def __init__(self, slots: int, seconds: Callable[[int], float]) -> None:
        self.slots, self.seconds = slots, seconds
        self.now, self.begun, self.work = 0.0, [], 0.0
        self.queue = 0.0  # until then all wait
        self.ends: list[tuple[float, int, bool]] = []
        self.jobs: dict[int, Job] = {}

    @property
    def running(self) -> list[Job]:
        return list(self.jobs.values())

    def submit(self, job: Job) -> None:
        number = len(self.begun)
        self.begun.append(job.folder)
        self.jobs[number] = job
        seconds = self.seconds(number)
        self.work += abs(seconds)
        heapq.heappush(self.ends, (self.now + abs(seconds), number, seconds < 0))

    def ended(self) -> list[Ended]:
        found = []
        while self.ends and self.ends[0][0] <= self.now:
            _, number, lost = heapq.heappop(self.ends)
            if (job := self.jobs.pop(number, None)) is not None:
                found.append(Ended(job, None if lost else record_of(job), "lost"))
        return found

    def where(self, job: Job) -> str | None:
        return None if self.now < self.queue else ""

    def prune(self, job: Job) -> None:
        raise NotImplementedError

    def cancel(self, job: Job) -> None:
        self.jobs = {number: one for number, one in self.jobs.items() if one is not job}

    def wait(self, seconds: float) -> None:
        assert self.running, "it waits for nothing"
        next_end = self.ends[0][0] if self.ends else self.now + seconds
        until = min(next_end, self.now + seconds)
        self.now = until

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def ran(engine: Simulated, *sources: Source, **limits: float) -> list[RunRecord]:
    """Run jobs; return their records as they come."""
    found: list[RunRecord] = []

    def watch(_: Engine, records: list[RunRecord], left: int) -> None:
        found.extend(records)
        assert left == sum(source.left for source in sources)

    Scheduler(engine, sources, watch, clock=lambda: engine.now, **limits).run()
    assert not sum(source.left for source in sources)
    return found


@pytest.fixture
def jobs(tmp_path: Path) -> Callable[[int], list[Job]]:
    """Makes jobs that take nothing."""
    return lambda count: [
        Job("t", "quick", f"arm_{i}", 0, FUNCTION, tmp_path / f"arm_{i}" / "seed_0")
        for i in range(count)
    ]


def test_no_slot_is_free_while_there_is_a_job(jobs) -> None:
    engine = Simulated(1, lambda _: 3.0)
    ran(engine, JobList(jobs(2)), JobList(jobs(3)[2:]))
    assert [folder.parent.name for folder in engine.begun] == ["arm_0", "arm_1", "arm_2"]
    assert engine.now == 9.0


def test_a_lost_worker_is_made_up_for_once(jobs) -> None:
    [first, second] = jobs(2)
    for lost, statuses in ((1, ["finished"] * 2), (2, ["failed", "finished"])):
        engine = Simulated(1, lambda number, lost=lost: -1.0 if number < lost else 1.0)
        records = ran(engine, JobList([first, second]))
        assert [folder.parent.name for folder in engine.begun] == ["arm_0", "arm_0", "arm_1"]
        assert [record.status for record in records] == statuses
    assert (first.folder / "error.txt").read_text() == "lost\n"
    assert first.result() is None, "it is made the next time"


def test_a_run_that_hangs_is_timed_out_and_that_is_its_result(jobs) -> None:
    [hanging, other] = jobs(2)
    engine = Simulated(1, lambda number: 1.0 if number else 1e9)
    records = ran(engine, JobList([hanging, other]), time_limit=60)
    assert [record.status for record in records] == ["timed_out", "finished"]
    assert engine.now < 70
    assert JobList([hanging]).done


def test_time_in_a_queue_does_not_count(jobs) -> None:
    engine = Simulated(2, lambda number: 1050.0 if number else 1e9)
    engine.queue = 1000.0
    records = ran(engine, JobList(jobs(2)), time_limit=60)
    assert [record.status for record in records] == ["finished", "timed_out"]
    assert 1060 <= engine.now < 1070


def test_of_many_runs_on_many_machines_none_is_lost_or_doubled(jobs) -> None:
    """Runs of 1 to 30 minutes; the worker of every hundredth is lost."""
    made = jobs(2000)
    engine = Simulated(
        200,
        lambda number: (-1 if number % 100 == 99 else 1) * (60.0 + 1740 * (number * 0.618 % 1)),
    )
    records = ran(engine, JobList(made))
    assert Counter(record.arm for record in records) == Counter(job.arm for job in made)
    again = len(engine.begun) - len(made)
    assert again == len(engine.begun) // 100
    assert engine.now < engine.work / engine.slots + 2 * 1800, "slots are free at the end alone"
