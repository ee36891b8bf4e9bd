"""Faults that real processes of this machine have."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path

import pytest

from moebench.run.engine import Engine
from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import run_all

FUNCTIONS = """
import os
import time
from pathlib import Path

def hangs():
    while True:
        time.sleep(1)

def slow():
    with Path("begun").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    while not Path("go_on").exists():
        time.sleep(0.01)
    return {"number": 1.0}

def quick():
    return {"number": 2.0}
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Job]:
    """Makes a job that calls one of the functions, in a folder of its own."""
    (tmp_path / "their_faults.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return lambda name: Job(
        "t", "p", name, 0, Function(f"their_faults:{name}"), tmp_path / name / "seed_0"
    )


def test_a_run_that_hangs_is_killed_and_its_worker_free_for_others(call) -> None:
    started = time.monotonic()
    records = run_all([call("hangs"), call("quick")], Execution(1, time_limit=5), lambda *_: None)
    assert [record.status for record in records] == ["timed_out", "finished"]
    assert "took longer than the 5 seconds" in (folder_of("hangs") / "error.txt").read_text()
    assert time.monotonic() - started < 120
    assert not active_children()


def test_a_run_whose_worker_is_killed_is_made_again_once(call) -> None:
    """The other one is left alone; the run has one record."""
    killed: list[int] = []

    def kill(engine: Engine, *_: object) -> None:
        begun = Path("begun")
        found = [int(line) for line in begun.read_text().split()] if begun.exists() else []
        if found and not killed:
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)
        if len(found) == 2:
            Path("go_on").touch()

    records = run_all([call("slow"), call("quick")], Execution(2), kill)
    assert killed
    assert [record.status for record in records] == ["finished", "finished"]
    assert [record.metrics["number"] for record in records] == [1.0, 2.0]
    begun = Path("begun").read_text().split()
    assert len(begun) == len(set(begun)) == 2


def folder_of(name: str) -> Path:
    """The folder of a job."""
    return Path(name).absolute() / "seed_0"
