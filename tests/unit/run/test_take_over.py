"""Records of runs made elsewhere: only the same runs count, and only where they are missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench.evidence.record import RunRecord
from moebench.experiment import DataStamp, Experiment
from moebench.run.job import Job
from moebench.run.place import identity_of
from moebench.run.take_over import take_over
from moebench.testing.jobs import leave, record_of

CONFIG = {"data": {"class_path": "moebench.data.text.Text", "init_args": {}}}


def job(folder: Path, seed: int = 0, arm: str = "arm") -> Job:
    experiment = Experiment(CONFIG, DataStamp("d", 1))
    return Job("target", "profile", arm, seed, experiment, folder / arm / f"seed_{seed}")


def test_a_run_made_elsewhere_is_one_that_has_ended(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    record = record_of(wanted, loss=1.5)
    assert take_over([wanted, job(tmp_path, seed=1)], [record]) == 1
    assert wanted.result() == record
    assert identity_of(wanted.folder) == wanted.identity
    assert (wanted.folder / "config.json").exists()  # by which MLflow finds a run
    assert job(tmp_path, seed=1).result() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"config_hash": "other"},
        {"data_hash": "other"},
        {"data_version": 2},
        {"code": {"their.router": "1"}},
        {"versions": {"moebench": "0"}},
        {"arm": "other"},
        {"seed": 7},
        {"profile": "other"},
        {"target": "other"},
        {"status": "failed"},
    ],
)
def test_any_other_run_is_left(tmp_path: Path, changes: dict[str, object]) -> None:
    wanted = job(tmp_path)
    assert take_over([wanted], [replace(record_of(wanted), **changes)]) == 0
    assert not wanted.folder.exists()


def test_the_same_run_is_found_among_others_of_its_name(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    same = record_of(wanted, loss=1.0)
    other = replace(same, config_hash="other")
    assert take_over([wanted], [other, same, other]) == 1
    assert wanted.result() == same


def test_a_run_that_has_ended_here_is_kept(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    here: RunRecord = leave(wanted, loss=2.0)
    assert take_over([wanted], [record_of(wanted, loss=1.0)]) == 0
    assert wanted.result() == here


def test_a_run_half_done_here_gives_way_with_its_checkpoint(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    wanted.folder.mkdir(parents=True)
    (wanted.folder / "identity").write_text(f"{wanted.identity}\n")
    wanted.checkpoint_path.write_bytes(b"half")
    assert take_over([wanted], [record_of(wanted)]) == 1
    assert not wanted.checkpoint_path.exists()


def test_what_was_moved_aside_comes_back_before_a_record_from_elsewhere(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    here = leave(wanted, loss=2.0)
    aside = wanted.folder.parent / "earlier" / f"d-{wanted.identity}" / wanted.folder.name
    aside.parent.mkdir(parents=True)
    wanted.folder.rename(aside)
    assert take_over([wanted], [record_of(wanted, loss=1.0)]) == 0
    assert wanted.result() == here
