"""Runs of other data or code lie beside one another, whatever is killed in between."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, read_one
from moebench.experiment import DataStamp, Experiment
from moebench.run.job import Job
from moebench.run.place import EARLIER, found, identity_of, kept_beside, settle
from moebench.testing.jobs import leave

CONFIG = {"data": {"class_path": "moebench.data.text.Text", "init_args": {}}}


def job(folder: Path, data: str, seed: int = 0) -> Job:
    experiment = Experiment(CONFIG, DataStamp(data, 1))
    return Job("target", "profile", "arm", seed, experiment, folder / "arm" / f"seed_{seed}")


def end(made: Job, loss: float) -> RunRecord:
    """Leave what a worker leaves."""
    settle(made)
    (made.folder / "config.json").write_text(json.dumps(dict(made.experiment.config)))
    made.history_path.write_text(f"{loss}\n")
    return leave(made, loss=loss)


def test_a_record_and_the_run_that_made_it_have_one_identity(tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    assert end(first, 1.0).identity == first.identity == identity_of(first.folder)
    assert first.identity != job(tmp_path, "e").identity


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"config_hash": "other"}, "configuration"),
        ({"code": {"their.router": "1"}}, "code"),
        ({"versions": {"moebench": "0"}}, "version of moebench"),
        ({"data_hash": "e"}, "data"),
        ({"data_version": 2}, "data"),
    ],
)
def test_each_part_makes_another_run(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    first = job(tmp_path, "d")
    other = replace(end(first, 1.0), **changes)
    assert other.identity != first.identity
    assert first.differs(other) == [what]


def test_the_seed_and_the_machine_make_no_other_run(tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    other = replace(end(first, 1.0), seed=7, commit="other", hardware={"processor": "other"})
    assert other.identity == first.identity
    assert not first.differs(other)


def test_another_run_moves_aside_whole_and_comes_back(tmp_path: Path) -> None:
    first, second = job(tmp_path, "d"), job(tmp_path, "e")
    one = end(first, 1.0)
    assert found(second) is None
    two = end(second, 2.0)
    assert first.result() is None
    shelf = tmp_path / "arm" / EARLIER / f"Text-{first.identity}"
    assert read(shelf / "seed_0" / "record.json") == [one]
    assert found(first) == one
    assert first.history_path.read_text() == "1.0\n"
    assert found(second) == two
    assert second.history_path.read_text() == "2.0\n"


def test_killed_between_two_moves_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = job(tmp_path, "d"), job(tmp_path, "e")
    one, two = end(first, 1.0), end(second, 2.0)
    moves: list[Path] = []
    rename = Path.rename

    def killed(self: Path, there: Path) -> Path:
        moves.append(self)
        if len(moves) > 1:
            raise KeyboardInterrupt
        return rename(self, there)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            found(first)
    assert not first.folder.exists()
    assert found(first) == one
    assert found(second) == two


def test_an_unfinished_run_waits_beside_too(tmp_path: Path) -> None:
    first, second = job(tmp_path, "d"), job(tmp_path, "e")
    settle(first)
    first.checkpoint_path.write_text("half way")
    end(second, 2.0)
    settle(first)
    assert first.checkpoint_path.read_text() == "half way"


def test_what_does_not_say_of_what_data_it_is_is_not_gone_on_with(tmp_path: Path) -> None:
    """A checkpoint of a version that wrote no identity may be of other data."""
    first = job(tmp_path, "d")
    first.folder.mkdir(parents=True)
    first.checkpoint_path.write_text("half way")
    settle(first)
    assert not first.checkpoint_path.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"../../up"])
def test_a_file_of_the_identity_that_is_none_loses_no_run(content: bytes, tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    record = end(first, 1.0)
    (first.folder / "identity").write_bytes(content)
    settle(job(tmp_path, "e"))
    assert found(first) == record
    (first.folder / "identity").write_bytes(content)
    settle(first)
    assert first.result() == record
    assert identity_of(first.folder) == first.identity


def test_whatever_lies_in_the_way_is_moved_and_not_removed(tmp_path: Path) -> None:
    first, second = job(tmp_path, "d"), job(tmp_path, "e")
    one = end(first, 1.0)
    settle(second)
    (second.folder / "identity").unlink()
    (second.folder / "notes.txt").write_text("mine")
    assert found(first) == one
    shelf = tmp_path / "arm" / EARLIER / "unknown-unknown"
    assert (shelf / "seed_0" / "notes.txt").read_text() == "mine"


def test_a_run_that_was_moved_before_shelves_had_names_is_found(tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    one = end(first, 1.0)
    shelf = tmp_path / "arm" / EARLIER / first.identity
    shelf.mkdir(parents=True)
    first.folder.rename(shelf / "seed_0")
    assert found(first) == one


def test_a_record_of_an_earlier_version_is_taken_if_it_says_nothing_else(tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    record = end(first, 1.0)
    (first.folder / "identity").unlink()
    assert found(first) == record
    second = job(tmp_path, "e")
    settle(second)
    assert found(second) is None
    assert found(first) == record


def test_one_line_says_what_is_there_and_what_is_used(tmp_path: Path) -> None:
    first, second = job(tmp_path, "d"), job(tmp_path, "e")
    assert kept_beside([first]) == ""
    end(first, 1.0)
    assert kept_beside([first]) == ""
    assert kept_beside([second]) == (
        "target profile: runs: 1, finished: 0, to do: 1; finished with different data: 1 (Text),"
        " kept in <arm>/earlier/<data>-<identity>"
    )
    end(second, 2.0)
    assert "finished: 1, to do: 0; finished with different" in kept_beside([second])


def test_a_run_that_another_process_moves_just_now_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = job(tmp_path, "d")
    for seed in (0, 1, 2):
        end(job(tmp_path, "d", seed), 1.0)

    def read_late(path: Path) -> RunRecord:
        if path.parent.name == "seed_2":
            path.parent.rename(tmp_path / "moved")
        return read_one(path)

    monkeypatch.setattr("moebench.run.place.read_one", read_late)
    assert "finished with other seeds: 1, not used" in kept_beside([first])


def test_finished_runs_of_other_seeds_are_told(tmp_path: Path) -> None:
    first = job(tmp_path, "d")
    for seed, data in ((0, "d"), (1, "d"), (2, "d"), (3, "e")):
        end(job(tmp_path, data, seed), 1.0)
    assert kept_beside([first, job(tmp_path, "d", 1)]) == (
        "target profile: runs: 2, finished: 2, to do: 0; finished with other seeds: 1, not used"
    )
