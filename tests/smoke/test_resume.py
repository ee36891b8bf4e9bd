"""Killed at any instant, the same command goes on where it was and ends with the same bits."""

import multiprocessing
import shutil
import signal
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_history
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.sole_user import sole_user
from moebench.run.tracked import run_tracked

STEPS = 30


def make_jobs(tiny, root: Path) -> list[Job]:
    """Two arms, one with two seeds; noise in router and dropout, so resuming must be exact.

    Their data are known, as to any driver.
    """
    settings = {
        "trainer.max_steps": STEPS,
        "trainer.val_check_interval": 5,
        "model.network.init_args.dropout": 0.1,
    }
    arms = {arm: tiny(f"{arm}.yaml", settings) for arm in ("switch_8", "top2_8")}
    data = arms["switch_8"].data
    asked = {arm: replace(experiment, known_data=data) for arm, experiment in arms.items()}
    return [
        Job("target", "profile", arm, seed, asked[arm].with_seed(seed), root / arm / str(seed))
        for arm, seed in (("switch_8", 0), ("switch_8", 1), ("top2_8", 0))
    ]


def ignore(*_: object) -> None:
    """Watch nothing."""


def essence(records: list[RunRecord]) -> list[tuple[object, ...]]:
    """What must not depend on interruptions or on the number of workers."""
    return [(r.arm, r.seed, r.status, r.steps, r.tokens, r.metrics) for r in records]


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs of one worker."""
    root = tmp_path_factory.mktemp("undisturbed")
    run_all(make_jobs(tiny, root), Execution(), ignore)
    return root


def test_killed_in_the_middle_it_goes_on(undisturbed: Path, tiny, tmp_path: Path) -> None:
    """By two workers where it was one, which changes no bit either."""
    jobs = make_jobs(tiny, tmp_path / "killed")
    command = multiprocessing.get_context("forkserver").Process(
        target=run_tracked, args=(jobs, Execution(2), None)
    )
    command.start()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and not any(job.checkpoint_path.exists() for job in jobs):
        time.sleep(0.01)
    command.kill()
    command.join()
    interrupted = [job for job in jobs if job.checkpoint_path.exists()]
    assert interrupted, "nothing was interrupted in the middle of its training"
    resumed = run_all(jobs, Execution(2), ignore)
    assert essence(resumed) == essence(run_all(make_jobs(tiny, undisturbed), Execution(), ignore))
    assert {record.status for record in resumed} == {"finished"}
    assert len({record.metrics["valid/loss"] for record in resumed}) == len(jobs)
    for job in jobs:
        steps = [line["step"] for line in read_history(job.history_path) if "train/loss" in line]
        assert steps == list(range(STEPS)), "each step is logged once"
        assert not job.checkpoint_path.exists()


def test_finished_runs_are_not_repeated(undisturbed: Path, tiny, tmp_path: Path) -> None:
    """Wherever their folder is by now."""
    shutil.copytree(undisturbed, tmp_path / "moved")
    jobs = make_jobs(tiny, tmp_path / "moved")
    records = [job.record() for job in jobs]
    before = {job.folder: job.record_path.stat().st_mtime_ns for job in jobs}
    assert run_all(jobs, Execution(2), ignore) == records
    assert {job.folder: job.record_path.stat().st_mtime_ns for job in jobs} == before


def hold(folder: Path, told: Connection) -> None:
    """Use a folder until this process is killed."""
    with sole_user(folder):
        told.send("held")
        signal.pause()


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    # It only holds a file, so a plain fork will do: a fresh interpreter would import for seconds.
    other = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path, theirs))
    other.start()
    try:
        assert ours.poll(60)
        assert ours.recv() == "held"
        with pytest.raises(ValueError, match="another process"), sole_user(tmp_path):
            pass
    finally:
        other.kill()
        other.join()
    with sole_user(tmp_path):
        pass
