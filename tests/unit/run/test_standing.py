"""Where runs stand, as a scheduler and the histories tell, by a clock of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moebench.run.job import Job
from moebench.run.progress import Progress, line_of
from moebench.run.standing import Standing
from moebench.testing.jobs import record_of


def job_of(folder: Path, number: int, steps: int = 100) -> Job:
    """A run of so many steps that nobody makes."""
    experiment: Any = SimpleNamespace(
        config={"trainer": {"max_steps": steps}}, hash="h", data=SimpleNamespace(content_hash="d")
    )
    return Job("t", "quick", "arm", number, experiment, folder / f"seed_{number}")


class Machines:
    """An engine of two nodes that carries out nothing, and a clock."""

    def __init__(self, slots: int, folder: Path) -> None:
        self.slots = slots
        self.folder = folder
        self.running: list[Job] = []
        self.now = 1000.0
        self.queue: set[int] = set()  # jobs that wait for a node

    def where(self, job: Job) -> str | None:
        if job.seed in self.queue:
            return None
        return "" if job.seed == 0 else f"node-{job.seed}"

    def start(self, number: int) -> Job:
        job = job_of(self.folder, number)
        job.folder.mkdir(parents=True, exist_ok=True)
        self.running.append(job)
        return job

    def log(self, job: Job, step: int, **values: float) -> None:
        """Write a line of history now."""
        with job.history_path.open("a") as file:
            file.write(json.dumps({"step": step, "time": self.now, **values}) + "\n")


@pytest.fixture
def machines(tmp_path: Path) -> Callable[[int], Machines]:
    """Makes an engine with so many slots."""
    return lambda slots: Machines(slots, tmp_path)


def standing_of(engine: Machines, known: tuple = ()) -> Standing:
    """An account by the clock of an engine."""
    return Standing(known, lambda: engine.now)


def test_nothing_is_said_of_the_time_left_before_anything_tells(machines) -> None:
    engine = machines(1)
    standing = standing_of(engine)
    engine.start(0)
    standing.update(engine, [], 3)
    standing.look(engine)
    assert standing.seconds_left is None
    assert (standing.done, standing.total) == (0, 3)


def test_the_time_left_follows_from_steps_while_no_run_has_ended(machines) -> None:
    """A second a step; lines of an attempt long ago tell nothing of the pace."""
    engine = machines(2)
    standing = standing_of(engine)
    job = engine.start(0)
    engine.log(job, 10)
    engine.now += 5000
    standing.update(engine, [], 3)
    standing.look(engine)
    for step in (20, 40):
        engine.now += 20
        engine.log(job, step)
    standing.look(engine)
    # 60 steps of its own; two more runs as long as this one, which will have taken 100 seconds.
    assert standing.seconds_left == pytest.approx((60 + 2 * 100) / 2)
    standing.update(engine, [], 1)
    assert standing.seconds_left == pytest.approx(60)


def test_the_time_left_follows_from_the_runs_that_ended(machines) -> None:
    engine = machines(2)
    standing = standing_of(engine)
    first, second = engine.start(0), engine.start(1)
    standing.update(engine, [], 5)
    engine.now += 30
    engine.running = [second]
    standing.update(engine, [record_of(first)], 4)
    engine.now += 20
    engine.running = []
    standing.update(engine, [record_of(second, "diverged")], 3)
    engine.start(2)
    standing.update(engine, [], 3)
    engine.now += 10
    # Runs take 40 seconds: 30 of this one, and two more, by two workers.
    assert standing.seconds_left == pytest.approx((30 + 2 * 40) / 2)
    standing.update(engine, [], 1)
    assert standing.seconds_left == pytest.approx(30)


def test_a_run_that_was_lost_or_ended_early_says_nothing_of_the_length_of_others(machines) -> None:
    engine = machines(1)
    standing = standing_of(engine)
    engine.start(0)
    standing.update(engine, [], 2)
    engine.now += 5
    engine.running = []
    standing.update(engine, [], 2)
    assert standing.seconds_left is None
    assert not standing.underway


def test_a_line_says_what_runs_where_what_ended_how_and_what_is_left(machines) -> None:
    engine = machines(11)
    known = tuple(record_of(job_of(engine.folder, number)) for number in (20, 21))
    standing = standing_of(engine, known)
    jobs = [engine.start(number) for number in range(10)]
    standing.update(engine, [], 20)
    engine.now += 60
    engine.log(jobs[1], 30, **{"valid/loss": 2.5})
    endings = ("finished", "diverged", "failed", "failed")
    ended = [record_of(job_of(engine.folder, 30 + n), how) for n, how in enumerate(endings)]
    standing.update(engine, [*ended, record_of(engine.running.pop(0), "timed_out")], 15)
    standing.look(engine)
    assert standing.underway[0].loss == 2.5
    assert line_of(standing) == (
        "7 of 22 runs done; 2 failed, 1 diverged, 1 timed out; about 01:00 left; running:"
        " arm seed 1 on node-1 at step 30 of 100,"
        + "".join(f" arm seed {number} on node-{number}," for number in range(2, 9))
        + " 1 more"
    )


def test_time_in_a_queue_tells_nothing_of_how_long_a_run_takes(machines) -> None:
    engine = machines(2)
    standing = standing_of(engine)
    for number in (0, 1):
        engine.start(number)
    engine.queue = {1}
    for ends in (False, True):
        engine.now += 600
        ended = [record_of(engine.running.pop(0))] if ends else []
        standing.update(engine, ended, 2 - ends)
        standing.look(engine)
    assert line_of(standing) == "1 of 2 runs done; about 10:00 left; running: arm seed 1 (waits)"


def test_without_a_terminal_there_is_a_line_a_minute(machines, capsys) -> None:
    engine = machines(1)
    with Progress(clock=lambda: engine.now) as progress:
        job = engine.start(0)
        for _ in range(150):
            progress(engine, [], 2)
            engine.now += 1
        engine.running = []
        progress(engine, [record_of(job, loss=2.0)], 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["0 of 2 runs done; running: arm seed 0"] * 2 + [
        "arm seed 0: finished, valid/loss 2.0000, 0 s"
    ]


def test_in_a_terminal_there_are_bars(machines, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("LINES", "6")
    engine = machines(11)
    with Progress(clock=lambda: engine.now) as progress:
        jobs = [engine.start(number) for number in range(10)]
        progress(engine, [], 12)
        engine.log(jobs[1], 30, **{"valid/loss": 2.5})
        engine.now += 60
        engine.running.pop(0)
        progress(engine, [record_of(jobs[0], "diverged")], 11)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1/12 runs" in captured.err
    assert "1 diverged; about 01:00 left" in captured.err
    assert "arm seed 1 on node-1:  30%" in captured.err
    assert "valid/loss 2.500" in captured.err
    assert "seed 5" not in captured.err, "the window has no room for it"
