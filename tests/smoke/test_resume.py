"""Killed at any instant, the same command goes on where it was and ends with the same bits."""

import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moebench.records import RunRecord, read_history
from moebench.run.job import Job
from moebench.run.pool import run_all, sole_user

STEPS = 60
COMMAND = """
import pickle, sys
from pathlib import Path
from moebench.run.pool import run_all
if __name__ == "__main__":
    run_all(pickle.loads(Path(sys.argv[1]).read_bytes()), 2, lambda running, records: None)
"""


def make_jobs(tiny, root: Path) -> list[Job]:
    """Two arms with two seeds each; noise in router and dropout, so that resuming must be exact."""
    settings = {
        "trainer.max_steps": STEPS,
        "trainer.val_check_interval": 10,
        "model.network.init_args.dropout": 0.1,
    }
    return [
        Job("target", "profile", arm, seed, experiment.with_seed(seed), root / arm / str(seed))
        for arm in ("switch_8", "top2_8")
        for experiment in [tiny(f"{arm}.yaml", settings)]
        for seed in (0, 1)
    ]


def ignore(running: object, records: object) -> None:
    """Watch nothing."""


def essence(records: list[RunRecord]) -> list[tuple[object, ...]]:
    """What must not depend on interruptions or on the number of workers."""
    return [(r.arm, r.seed, r.status, r.steps, r.tokens, r.metrics) for r in records]


@pytest.fixture
def reference(tiny, tmp_path: Path) -> list[RunRecord]:
    """The runs of one worker, undisturbed."""
    return run_all(make_jobs(tiny, tmp_path / "reference"), 1, ignore)


def test_the_number_of_workers_changes_no_bit(reference, tiny, tmp_path: Path) -> None:
    together = run_all(make_jobs(tiny, tmp_path / "two"), 2, ignore)
    assert essence(together) == essence(reference)
    assert all(record.status == "finished" for record in together)
    assert len({record.metrics["valid/loss"] for record in together}) == len(together)


def test_killed_in_the_middle_it_goes_on(reference, tiny, tmp_path: Path) -> None:
    jobs = make_jobs(tiny, tmp_path / "killed")
    (tmp_path / "jobs").write_bytes(pickle.dumps(jobs))
    command = subprocess.Popen([sys.executable, "-c", COMMAND, str(tmp_path / "jobs")])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any(job.checkpoint_path.exists() for job in jobs):
        time.sleep(0.02)
    command.kill()
    command.wait()
    interrupted = [job for job in jobs if job.checkpoint_path.exists()]
    assert interrupted, "nothing was interrupted in the middle of its training"
    resumed = run_all(jobs, 2, ignore)
    assert essence(resumed) == essence(reference)
    for job in jobs:
        steps = [line["step"] for line in read_history(job.history_path) if "train/loss" in line]
        assert steps == list(range(STEPS)), "each step is logged once"
        assert not job.checkpoint_path.exists()


def test_finished_runs_are_not_repeated(reference, tiny, tmp_path: Path) -> None:
    jobs = make_jobs(tiny, tmp_path / "reference")
    before = {job.folder: job.record_path.stat().st_mtime_ns for job in jobs}
    assert run_all(jobs, 2, ignore) == reference
    assert {job.folder: job.record_path.stat().st_mtime_ns for job in jobs} == before


def test_another_configuration_is_run_again(reference, tiny, tmp_path: Path) -> None:
    [job, *_] = make_jobs(tiny, tmp_path / "reference")
    changed = tiny("switch_8.yaml", {"trainer.max_steps": 2, "trainer.val_check_interval": 1})
    other = Job(job.target, job.profile, job.arm, job.seed, changed.with_seed(0), job.folder)
    [record] = run_all([other], 1, ignore)
    assert record.steps == 2
    assert record.config_hash != reference[0].config_hash


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from moebench.run.pool import sole_user\n"
        "with sole_user(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(ValueError, match="another process"), sole_user(tmp_path):
        pass
    other.kill()
    other.wait()
    with sole_user(tmp_path):
        pass
