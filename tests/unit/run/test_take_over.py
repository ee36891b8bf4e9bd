"""Records of runs made elsewhere: only the same runs count, and only where they are missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench.evidence.record import STATUSES, RunRecord
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
    assert take_over([wanted, job(tmp_path, seed=1)], [record]) == {"taken over": 1}
    assert wanted.result() == record
    assert identity_of(wanted.folder) == wanted.identity
    assert (wanted.folder / "config.json").exists()  # by which MLflow finds a run
    assert job(tmp_path, seed=1).result() is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"config_hash": "other"}, "with different configuration"),
        ({"data_hash": "other"}, "with different data"),
        ({"data_version": 2}, "with different data"),
        ({"code": {"their.router": "1"}}, "with different code"),
        ({"versions": {"moebench": "0"}}, "with different version of moebench"),
        ({"arm": "other"}, "not asked for"),
        ({"seed": 7}, "not asked for"),
        ({"profile": "other"}, "not asked for"),
        ({"target": "other"}, "not asked for"),
        # Another machine may have more memory or time, and more luck.
        *(({"status": s}, "not asked for") for s in STATUSES if s not in ("finished", "diverged")),
    ],
)
def test_any_other_run_is_left(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    wanted = job(tmp_path)
    assert take_over([wanted], [replace(record_of(wanted), **changes)]) == {told: 1}
    assert not wanted.folder.exists()


def test_a_run_of_a_module_that_may_train_several_seeds_is_left(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    own = Experiment({**CONFIG, "model": {"class_path": "their.Model"}}, DataStamp("d", 1))
    wanted = replace(wanted, experiment=own)
    assert take_over([wanted], [record_of(wanted)]) == {"not asked for": 1}


def test_the_same_run_is_found_among_others_of_its_name(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    same = record_of(wanted, loss=1.0)
    other = replace(same, config_hash="other")
    told = take_over([wanted], [other, same, other])
    assert told == {"taken over": 1, "with different configuration": 2}
    assert wanted.result() == same


def test_a_run_that_has_ended_here_is_kept(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    here: RunRecord = leave(wanted, loss=2.0)
    assert take_over([wanted], [record_of(wanted, loss=1.0)]) == {"here already": 1}
    assert wanted.result() == here


def test_a_run_half_done_here_gives_way_with_all_it_left(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    wanted.folder.mkdir(parents=True)
    (wanted.folder / "identity").write_text(f"{wanted.identity}\n")
    left = wanted.checkpoint_path, wanted.history_path
    for path in left:
        path.write_bytes(b"half")
    assert take_over([wanted], [record_of(wanted)]) == {"taken over": 1}
    assert not any(path.exists() for path in left)


def test_what_was_moved_aside_comes_back_before_a_record_from_elsewhere(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    here = leave(wanted, loss=2.0)
    aside = wanted.folder.parent / "earlier" / f"d-{wanted.identity}" / wanted.folder.name
    aside.parent.mkdir(parents=True)
    wanted.folder.rename(aside)
    assert take_over([wanted], [record_of(wanted, loss=1.0)]) == {"here already": 1}
    assert wanted.result() == here
