"""Where the runs of a comparison come from: folders, files and MLflow, and which are taken."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from moebench import tracking
from moebench.comparison import compare, found_runs, from_files, wanted, wanted_tags
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write, write_all
from moebench.tracking import Logged, Wanted
from moebench.tracking.finished import HEAD, of_server
from moebench.tracking.read import _logged

from .fakes import DENSE, MARKED, SPARSE, record

EVERYTHING = Wanted()


def folder_of_runs(root: Path, runs: Sequence[RunRecord] = (DENSE[0], MARKED)) -> Path:
    """A folder with these runs, and with tags for the sparse arm of the target `paper`."""
    for one in runs:
        folder = root / one.target / one.profile / one.arm / f"seed_{one.seed}"
        folder.mkdir(parents=True)
        write(one, folder / "record.json")
        (folder / "config.json").write_text(
            json.dumps({"data": {"class_path": "Text", "init_args": {"length": 64, "seed": 9}}})
        )
        lines = [
            f'{{"step": {step}, "time": 1.0, "valid/loss": {one.metrics[f"valid/loss@{step}"]}}}\n'
            for step in (50, 100)
        ]
        (folder / "history.jsonl").write_text("".join(lines))
    (root / "paper" / "quick" / "tags.json").write_text('{"sparse": {"best": "true"}}')
    return root


def test_folders_and_files_of_records(tmp_path: Path) -> None:
    root = folder_of_runs(tmp_path / "runs")
    found = from_files(root, EVERYTHING)
    assert {run.record.arm for run in found} == {"dense", "sparse"}
    assert found[0].data == {"data.class_path": "Text", "data.init_args.length": "64"}
    assert [run.tags.get("best") for run in sorted(found, key=lambda run: run.record.arm)] == [
        None,
        "true",
    ]
    assert from_files(root, Wanted(profile="full", target="paper")) == []
    (root / "compare").mkdir()  # where the command writes
    (root / "compare" / "compare.csv").touch()
    assert len(from_files(root, EVERYTHING)) == len(found)
    file = tmp_path / "results.jsonl"
    write_all([*DENSE, *SPARSE], file)
    assert len(from_files(file, EVERYTHING)) == 6
    assert from_files(file, Wanted(until=0.0)) == []
    with pytest.raises(FileNotFoundError, match=r"no matching run \(profile none\)"):
        found_runs(root, None, Wanted(profile="none"))
    with pytest.raises(FileNotFoundError, match="nowhere: neither"):
        from_files(tmp_path / "nowhere", EVERYTHING)


@pytest.mark.usefixtures("no_server")
def test_mlflow_returns_what_was_sent(tmp_path: Path, empty_database: Path) -> None:
    """The database, the client and the files give the same runs."""
    root = folder_of_runs(tmp_path / "runs")
    files, place = found_runs(root, None, EVERYTHING)
    assert place == f"2 runs from {root}, all"
    shutil.copy(empty_database, root)
    tracking.send(root)
    database, place = found_runs(root, None, EVERYTHING)
    assert place == "2 runs from MLflow, all"

    def known(runs: list[Logged]) -> list[tuple[RunRecord, dict[str, str]]]:
        return sorted(((run.record, dict(run.data)) for run in runs), key=lambda one: one[0].arm)

    assert known(database) == known(files)
    store = tracking.connect(root).store

    served = [_logged(parts) for parts in of_server(store.client, store.experiment, {})]
    assert known(served) == known(files)
    for filters in (
        Wanted(target="paper", profile="quick"),
        Wanted(profile="it's"),
        Wanted(target="other"),
        Wanted(since=1e12),
    ):
        ours = sorted(run.record.arm for run in tracking.logged(root, filters))
        parts = of_server(store.client, store.experiment, filters.required())
        theirs = sorted(run.record.arm for run in map(_logged, parts) if filters.takes(run))
        assert ours == theirs


@pytest.mark.usefixtures("no_server")
def test_mlflow_returns_only_the_heads_of_search_trials(
    tmp_path: Path, empty_database: Path
) -> None:
    """A search may have 10,000 trials, of which `compare` needs the number alone.

    Of another target a seed below 1000 judges, as a fresh one of a search does.
    """
    of_search = {"target": "sweeps", "profile": "s"}
    arms = [("dense", 1000, 3.0), ("sparse", 1000, 2.5), ("sparse", 0, 2.0), ("other", 0, 1.0)]
    searched = [record(arm, seed, loss, **of_search) for arm, seed, loss in arms]
    root = folder_of_runs(tmp_path / "runs", [DENSE[0], SPARSE[0], *searched])
    files, _ = found_runs(root, None, EVERYTHING)
    shutil.copy(empty_database, root)
    tracking.send(root)
    database, _ = found_runs(root, None, EVERYTHING)
    store = tracking.connect(root).store

    served = [_logged(parts) for parts in of_server(store.client, store.experiment, {})]
    for found in (database, served):
        chose = [run for run in found if set(run.tags) == set(HEAD)]
        assert sorted(run.record.arm for run in chose) == ["other", "sparse"]
        assert not any(run.record.metrics or run.data for run in chose)
        assert compare(found) == compare(files)
        judged = [run.record for run in found if run not in chose]
        assert all(one in judged for one in (DENSE[0], SPARSE[0], *searched[:2]))


def test_a_run_deleted_in_the_ui_is_gone(runs_root: Path) -> None:
    root = folder_of_runs(runs_root)
    tracking.send(root)
    store = tracking.connect(root).store
    for run in store.search(arm="sparse"):
        store.client.delete_run(run.run_id)
    assert [run.record.arm for run in tracking.logged(root, EVERYTHING)] == ["dense"]


def test_a_missing_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(ConnectionError, match=r"none.db failed \(no such file\)"):
        tracking.logged(tmp_path, EVERYTHING)
    assert list(tmp_path.iterdir()) == []


def test_filters_in_words() -> None:
    chosen = wanted("paper_2021", "", "1970-01-01", "1970-01-01")
    assert str(chosen) == (
        "target paper_2021, since 1970-01-01 00:00 UTC, until 1970-01-02 00:00 UTC"
    )
    assert wanted("", "") == EVERYTHING
    assert wanted_tags(["best=true", "note=a=b"]) == {"best": "true", "note": "a=b"}


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        ("2026-02-02", "2026-02-01", "since=2026-02-02: is after until=2026-02-01"),
        ("2026-02-30", "", "since=2026-02-30: expected a day"),
        ("", "soon", "until=soon: expected a day such as 2026-01-31"),
    ],
)
def test_filters_that_make_no_sense(since: str, until: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wanted("", "", since, until)


@pytest.mark.parametrize("tag", ["best", "best=", "=true"])
def test_a_tag_without_a_value(tag: str) -> None:
    with pytest.raises(ValueError, match=f"tag={tag}: expected name=value"):
        wanted_tags([tag])
