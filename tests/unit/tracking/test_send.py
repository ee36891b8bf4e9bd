"""Sending later what is finished."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from moebench import tracking
from moebench.evidence.result_files import RESULTS
from moebench.tracking.server import open_store

from .fakes import DENSE, FakeRun, Seen, begin


def test_send_sends_what_is_finished_and_only_once(root: Path) -> None:
    for target in ("paper_2021", "other_2021"):
        FakeRun(root / target / "quick").end()
        FakeRun(root / target / "quick", seed=1).end("diverged")
    FakeRun(root / "third_2021" / "quick")
    assert tracking.send(root, "other_2021") == tracking.Sent(new=2)
    assert str(tracking.send(root)) == "2 runs sent to MLflow, 2 were there already"
    assert tracking.send(root) == tracking.Sent(known=4)
    assert len(Seen(root).children) == 4
    assert Seen(root).running() == []


def test_a_quote_in_a_name_mixes_up_no_runs(root: Path) -> None:
    """MLflow cannot be asked for it."""
    for profile in ("it's", "quick"):
        FakeRun(root / "sweeps" / profile).end()
    assert tracking.send(root) == tracking.Sent(new=2)
    assert tracking.send(root) == tracking.Sent(known=2)
    assert [run.tags["profile"] for run in open_store(root).search(profile="it's")] == ["it's"] * 2
    assert {run.data.tags["profile"] for run in Seen(root).parents} == {"it's", "quick"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("switch/seed_0/history.jsonl", b'{"step": \n'),
        ("switch/seed_0/history.jsonl", b"[1]\n"),
        ("switch/seed_0/config.json", b"{"),
        ("switch/seed_0/config.json", bytes(range(256))),
        ("tags.json", b"{"),
        ("verdicts.json", b"{"),
    ],
)
def test_a_damaged_file_is_named_and_mlflow_not_blamed(
    name: str, content: bytes, root: Path
) -> None:
    folder = root / "paper_2021" / "quick"
    FakeRun(folder).end()
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"^{folder / name}: ") as refused:
        tracking.send(root)
    assert "MLflow" not in str(refused.value)


def test_send_knows_a_record_wherever_it_lies(root: Path, tmp_path: Path) -> None:
    FakeRun(root / "paper_2021" / "quick").end()
    tracking.send(root)
    moved = tmp_path / "moved"
    shutil.move(root, moved)
    assert tracking.send(moved) == tracking.Sent(known=1)


def test_send_finishes_what_a_dead_process_began(root: Path) -> None:
    tracker, folder = begin(root)
    run, other = FakeRun(folder), FakeRun(folder, "dense")
    run.lines(0)
    other.lines(0)
    tracker.poll()
    run.end()
    tracking.send(root, partners={"paper_2021": {"switch": DENSE}})
    seen = Seen(root)
    assert seen.run().info.status == "FINISHED"
    assert seen.run().data.tags["dense_baseline"] == seen.run("dense").info.run_id
    assert seen.run("dense").info.status == seen.parents[0].info.status == "KILLED"


def test_send_ends_what_a_dead_process_left_running_even_with_nothing_to_send(root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).end()
    FakeRun(folder, seed=1).lines(0)
    tracker.poll()
    assert len(Seen(root).running()) == 2  # the parent and seed 1
    assert tracking.send(root) == tracking.Sent(known=1)
    assert Seen(root).running() == []


def test_send_leaves_a_folder_in_use_alone(root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).lines(0)
    FakeRun(folder, seed=1).end()
    tracker.poll()
    with FileLock(folder / ".lock"):
        assert tracking.send(root).busy == 1
    assert len(Seen(root).running()) == 2  # the parent and seed 0


def test_send_without_runs_says_so(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no finished runs"):
        tracking.send(root, "paper_2021")


def test_a_record_that_cannot_be_read_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "t" / "quick" / "dense" / "seed_0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"target": "t", "profi')
    with pytest.raises(ValueError, match=r"seed_0/record\.json:1: not a run record"):
        tracking.send(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()


def test_runs_kept_beside_those_in_use_are_sent_too(root: Path) -> None:
    """Also those that this process has sent from where they were before."""
    tracker, folder = begin(root)
    first = FakeRun(folder)
    first.end()
    tracker.poll()
    shelf = folder / "switch" / "earlier" / "text-0123"
    shelf.mkdir(parents=True)
    first.folder.rename(shelf / "seed_0")
    FakeRun(folder).end(data_hash="e" * 64)
    tracker.close({"switch": DENSE}, [])
    assert tracking.send(root) == tracking.Sent(known=2)
    runs = Seen(root).children
    assert {run.data.tags["arm"] for run in runs} == {"switch"}
    assert {run.data.tags["data_hash"] for run in runs} == {"d" * 64, "e" * 64}


def test_runs_kept_beside_others_are_found_though_nobody_tracked_them(root: Path) -> None:
    folder = root / "paper_2021" / "quick"
    FakeRun(folder).end()
    FakeRun(folder / "switch" / "earlier", "text-0123").end(data_hash="e" * 64)
    assert tracking.send(root) == tracking.Sent(new=2)
    assert {run.data.tags["arm"] for run in Seen(root).children} == {"switch"}


def test_all_that_a_reproduction_ends_with_is_sent(root: Path) -> None:
    folder = root / "paper_2021" / "quick"
    FakeRun(folder).end()
    for name in RESULTS:
        (folder / name).write_text("[]")
    tracking.send(root)
    [parent] = Seen(root).parents
    kept = open_store(root).client.list_artifacts(parent.info.run_id)
    assert {file.path for file in kept} == set(RESULTS)
