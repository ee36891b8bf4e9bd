"""Runs on a GPU: which come first, and which can finish in time."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.evidence import take
from benchmarks.gpu.pace import Pace, kept
from benchmarks.gpu.papers import with_a_twin
from benchmarks.gpu.scheduler import Scheduler
from benchmarks.gpu.value import in_order
from moebench.evidence.record_files import read, write_all
from moebench.papers.plan import Profile
from moebench.testing.verdicts import claim_of, run
from moebench.verdict.comparisons import Difference, Order

TWO = claim_of(Difference(first="a", second="b"), key="TWO", seeds=2)
THREE = claim_of(Order(ordered=("a", "c", "d")), key="THREE", seeds=1)
BEYOND = claim_of(Difference(first="e", second="elsewhere"), key="BEYOND", seeds=1)
PROFILE = Profile("gpu", ["d", "c", "b", "a", "e"], seeds=3, settings={}, first_seed=1000)


def test_the_claim_that_lacks_the_fewest_runs_comes_first() -> None:
    """THREE needs 3 runs and TWO 4; once THREE is complete, TWO needs 3. The rest follows."""
    order = in_order(PROFILE, [TWO, BEYOND, THREE])
    assert order[:3] == [("a", 1000), ("c", 1000), ("d", 1000)]
    assert order[3:6] == [("b", 1000), ("a", 1001), ("b", 1001)]
    assert order[6:] == [
        *[("e", 1000), ("d", 1001), ("c", 1001), ("e", 1001)],
        *[(arm, 1002) for arm in PROFILE.arms],
    ]
    assert len(set(order)) == len(order) == 15


def test_existing_runs_count() -> None:
    """TWO then lacks only one run, so it comes first."""
    done = [("a", 1000), ("b", 1000), ("a", 1001)]
    order = in_order(PROFILE, [THREE, TWO], done)
    assert order[:3] == [("b", 1001), ("c", 1000), ("d", 1000)]
    assert not set(done) & set(order)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ([100, 100, 100], 3),  # 300 of the 360 steps that 40 seconds have room for
        ([100, 100, 100, 100], 3),
        ([350, 20, 5], 1),
        ([1000, 10], 1),  # the first goes on, it has a checkpoint
        ([], 0),
    ],
)
def test_runs_that_can_finish_in_time_are_kept(left: list[int], expected: int) -> None:
    assert kept(left, pace=10.0, seconds=40.0) == expected


class Running:
    """A run that has logged a given number of steps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.history_path = folder, folder / "history.jsonl"
        self.experiment = SimpleNamespace(config={"trainer": {"max_steps": 1000}})
        folder.mkdir()

    def write(self, step: int) -> None:
        self.history_path.write_text(json.dumps({"step": step}) + "\n")


def test_the_pace_counts_all_runs_once_all_have_begun(tmp_path: Path) -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    jobs = [Running(tmp_path / "a"), Running(tmp_path / "b")]

    def at(seconds: float, *steps: int) -> float | None:
        now[0] = seconds
        for job, step in zip(jobs, steps, strict=True):
            job.write(step)
        pace.look(jobs)
        return pace.rate

    pace.look([])
    now[0] = 1000.0
    pace.look([])
    assert pace.rate is None  # nothing that steps tells no pace
    assert at(0, 100, 0) is None
    assert at(50, 200, 10) is None  # only now both have begun
    assert at(60, 220, 20) is None  # too soon to tell
    assert at(75, 300, 60) == pytest.approx(150 / 25)
    jobs.append(Running(tmp_path / "c"))
    assert at(80, 310, 70, 0) == pytest.approx(6)  # as long as nothing newer is known
    assert at(110, 340, 100, 50) == pytest.approx(6)
    assert at(130, 400, 150, 100) == pytest.approx(160 / 20)


class Lanes:
    """An engine whose runs take one step per wait, and run out of memory three at a time."""

    def __init__(self, slots: int) -> None:
        self.slots, self.under_way = slots, []
        self.stopped: list[str] = []

    @property
    def running(self) -> list:
        return list(self.under_way)

    def submit(self, job) -> None:
        self.under_way.append(job)

    def cancel(self, job) -> None:
        self.under_way.remove(job)
        self.stopped.append(job.name)

    def ended(self) -> list:
        full = len(self.running) == 3
        over = self.running[-1:] if full else [j for j in self.running if j.steps == j.all]
        for job in over:
            self.under_way.remove(job)
        status = "out_of_memory" if full else "done"
        return [(job, SimpleNamespace(status=status), "") for job in over]

    def wait(self, seconds: float) -> None:
        for job in self.running:
            job.write(job.steps + 1)

    def __enter__(self) -> "Lanes":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Stepping(Running):
    """A run of a few steps."""

    def __init__(self, folder: Path, steps: int = 2) -> None:
        super().__init__(folder)
        self.name, self.steps, self.all = folder.name, 0, steps
        self.experiment = SimpleNamespace(config={"trainer": {"max_steps": steps}})
        self.record_path = folder / "record.json"
        self.record_path.touch()

    def write(self, step: int) -> None:
        self.steps = step
        super().write(step)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    """A scheduler whose engine has three lanes."""
    made = Scheduler(Clock(60), torch.device("cpu"))
    made.engine = Lanes(3)
    monkeypatch.setattr("benchmarks.gpu.scheduler.Local", lambda _: made.engine)
    return made


def test_runs_out_of_memory_next_to_others_are_repeated(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    jobs = [Stepping(tmp_path / name) for name in "abcd"]
    ended: list[tuple[str, str]] = []
    scheduler.make(iter(jobs), lambda job, record: ended.append((job.name, record.status)))
    assert ended == [("a", "done"), ("b", "done"), ("c", "done"), ("d", "done")]
    assert scheduler.most_parallel == 3
    assert scheduler.engine.slots == 2, "three at a time were too many"
    assert not jobs[2].record_path.exists(), "that it found no memory is no result"


def test_runs_that_cannot_finish_in_time_are_postponed(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    """At one step per second, 60 seconds are enough for the first run, but not for both."""
    scheduler.engine.slots = 2
    scheduler.pace.look = lambda jobs: None
    scheduler.pace.rate = 1.0
    jobs = [Stepping(tmp_path / "a", 40), Stepping(tmp_path / "b", 40), Stepping(tmp_path / "c")]
    ended: list[str] = []
    scheduler.make(iter(jobs), lambda job, record: ended.append(job.name))
    assert ended == ["a"]
    assert scheduler.most_parallel == 1


def test_runs_that_turn_out_too_slow_are_postponed(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.engine.slots = 2
    rates = iter([None] * 5)
    scheduler.pace.look = lambda jobs: setattr(scheduler.pace, "rate", next(rates, 1.0))
    jobs = [Stepping(tmp_path / "a", 40), Stepping(tmp_path / "b", 40), Stepping(tmp_path / "c")]
    ended: list[str] = []
    scheduler.make(iter(jobs), lambda job, record: ended.append(job.name))
    assert scheduler.engine.stopped == ["b"]
    assert ended == ["a"]


def test_records_and_unfinished_runs_are_copied(tmp_path: Path) -> None:
    [paper] = with_a_twin(small=True)
    place = Path(paper.folder) / "smoke"
    ours, theirs = tmp_path / "ours" / place, tmp_path / "theirs" / place
    (theirs / "arm" / "seed_1").mkdir(parents=True)
    (theirs / "arm" / "seed_1" / "last.ckpt").write_text("half way")
    (ours / "arm" / "seed_2").mkdir(parents=True)
    (theirs / "arm" / "seed_2").mkdir(parents=True)
    (theirs / "arm" / "seed_2" / "last.ckpt").write_text("older")
    write_all([run("arm", 3, 1.0), run("arm", 4, 1.0)], theirs / "results.jsonl")
    write_all([run("arm", 4, 2.0)], ours / "results.jsonl")
    take(tmp_path / "ours", tmp_path / "theirs", small=True)
    assert (ours / "arm" / "seed_1" / "last.ckpt").read_text() == "half way"
    assert not (ours / "arm" / "seed_2" / "last.ckpt").exists(), "what is there stays"
    found = [(one.seed, one.metrics["valid/loss"]) for one in read(ours / "results.jsonl")]
    assert found == [(3, 1.0), (4, 2.0)]
