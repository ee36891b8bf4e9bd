"""Who waits for whom: no worker stands idle while there is a run to make."""

import logging
import signal
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from moebench.evidence.record import RunRecord
from moebench.run import pool as pools
from moebench.run import worker
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.testing.jobs import record_of


class Lane:
    """A pool of one worker whose runs end while it is waited for; notes how many runs it had."""

    def __init__(self, waits: list[int]) -> None:
        self.waits, self.running, self.over = waits, [], False

    @property
    def free(self) -> bool:
        return not self.running

    @property
    def jobs(self) -> list[Job]:
        return self.running

    def start(self, job: Job) -> None:
        self.running, self.over = [job], False

    def ended(self) -> list[tuple[Job, RunRecord]]:
        gone, self.running = (self.running, []) if self.over else ([], self.running)
        return [(job, record_of(job)) for job in gone]

    def stop(self, job: Job) -> None:
        self.running = []

    def wait(self) -> None:
        self.waits.append(len(self.running))
        self.over = True

    def __enter__(self) -> "Lane":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Jobs:
    """A source of a sweep that has some runs."""

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs, self.unfinished = list(jobs), list(jobs)

    @property
    def done(self) -> bool:
        return not self.unfinished

    def next(self) -> Job | None:
        return self.jobs.pop(0) if self.jobs else None

    def ended(self, job: Job, record: RunRecord) -> bool:
        if job in self.unfinished:
            self.unfinished.remove(job)
            return True
        return False

    def watch(self) -> None:
        pass


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    function = Function("math:sqrt")
    return [Job("t", "quick", f"arm_{i}", 0, function, tmp_path / str(i)) for i in range(3)]


def test_a_free_worker_gets_its_next_run_at_once(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    monkeypatch.setattr(pools, "Pool", lambda workers: Lane(waits))
    pools.run_all(jobs, 1, lambda running, records: None)
    assert waits[: len(jobs)] == [1, 1, 1]


def test_so_it_does_in_a_sweep(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    search = import_module("moebench.sweeps.search")  # the package has a function of that name
    waits: list[int] = []
    monkeypatch.setattr(search, "Pool", lambda workers: Lane(waits))
    monkeypatch.setattr(search, "ActiveTrials", lambda *_: Jobs(jobs))
    monkeypatch.setattr(search, "BaselineRuns", lambda *_: Jobs([]))
    sweep = SimpleNamespace(
        baselines=(), fresh_seeds=0, tuning_points=(), trials=len(jobs), seeds=1
    )
    search.work(SimpleNamespace(sweep=sweep), None, 1, None)
    assert waits[: len(jobs)] == [1, 1, 1]


def test_ctrl_c_is_left_to_the_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal sends it to workers as well, which would each print where they were."""
    seen = []
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(worker, "write_messages", lambda _: None)
    monkeypatch.setattr(worker, "execute", lambda *_: seen.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        worker.main(Job("t", "p", "a", 0, Function("math:sqrt"), tmp_path / "seed_0"), 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_IGN]
