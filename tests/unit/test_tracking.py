"""MLflow gets what the files hold, once, whatever dies in between."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from moebench.records import RunRecord, write
from moebench.tracking import Partner, Tracker, connect, default_uri, send, ui_command
from moebench.tracking.child import flatten


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database; making one takes seconds, so it is made once and copied."""
    root = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        connect(root)
    return root


@pytest.fixture
def root(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of all runs with a database of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(store / "mlflow.db", tmp_path / "mlflow.db")
    return tmp_path


def line(step: int, **values: float) -> dict[str, float]:
    return {"step": step, "time": 1_700_000_000.0 + step, **values}


def add_lines(folder: Path, *lines: dict[str, float]) -> None:
    with (folder / "history.jsonl").open("a") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in lines)


def begin(root: Path, arm: str, seed: int = 0, **config: object) -> Path:
    folder = root / "paper" / "quick" / arm / f"seed_{seed}"
    folder.mkdir(parents=True)
    settings = {"seed": seed, "model": {"arm": arm, **config}}
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def finish(folder: Path, status: str = "finished", **metrics: float) -> None:
    record = RunRecord(
        target="paper",
        profile="quick",
        arm=folder.parent.name,
        seed=int(folder.name.removeprefix("seed_")),
        status=status,
        config_hash="hash",
        commit="abc",
        data_hash="d" * 64,
        steps=20,
        seconds=2.0,
        params_total=7,
        metrics=metrics,
    )
    write(record, folder / "record.json")


def opened(root: Path) -> Tracker:
    tracker = connect(root)
    tracker.open(root / "paper" / "quick", {"target": "paper", "profile": "quick"})
    return tracker


def runs(tracker: Tracker) -> dict[str, Any]:
    found = tracker.client.search_runs([tracker.experiment])
    return {run.data.tags["mlflow.runName"]: run for run in found}


def steps(tracker: Tracker, name: str, metric: str) -> list[int]:
    history = tracker.client.get_metric_history(runs(tracker)[name].info.run_id, metric)
    return sorted(entry.step for entry in history)


def test_a_run_is_followed_to_its_end(root: Path) -> None:
    folder = begin(root, "dense", depth=3)
    add_lines(folder, line(0, **{"train/loss": 5.0, "load/0/1": 0.5}))
    tracker = opened(root)
    tracker.poll(now=True)
    assert runs(tracker)["dense seed_0"].info.status == "RUNNING"
    add_lines(folder, line(10, **{"train/loss": 4.0}), line(10, **{"valid/loss": 4.5}))
    finish(folder, **{"valid/loss": 4.5, "valid/loss@10": 4.5})
    tracker.poll(now=True)
    run = runs(tracker)["dense seed_0"]
    assert run.info.status == "FINISHED"
    assert steps(tracker, "dense seed_0", "train/loss") == [0, 10]
    assert steps(tracker, "dense seed_0", "valid/loss") == [10]
    assert run.data.metrics["final/valid/loss"] == 4.5
    assert run.data.metrics["cost/params_total"] == 7
    assert run.data.params == {"seed": "0", "model.arm": "dense", "model.depth": "3"}
    assert run.data.tags["moebench.state"] == "finished"
    assert not any(name.startswith("load/") or "@" in name for name in run.data.metrics)
    [dataset] = run.inputs.dataset_inputs
    assert dataset.dataset.digest == "d" * 36


def test_children_hang_under_their_parent_and_know_their_baseline(root: Path) -> None:
    for arm in ("dense", "sparse"):
        for seed in (0, 1):
            finish(begin(root, arm, seed))
    report = root / "paper" / "quick" / "report.html"
    report.write_text("<p>report</p>")
    tracker = opened(root)
    partner = Partner("dense", "active_flops")
    tracker.close({"dense": partner, "sparse": partner}, [report, root / "missing"])
    found = runs(tracker)
    parent = found["paper quick"]
    assert parent.info.status == "FINISHED"
    assert [a.path for a in tracker.client.list_artifacts(parent.info.run_id)] == ["report.html"]
    for seed in (0, 1):
        tags = found[f"sparse seed_{seed}"].data.tags
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert tags["moebench.dense_baseline"] == found[f"dense seed_{seed}"].info.run_id
        assert tags["matched_on"] == "active_flops"
        assert "moebench.dense_baseline" not in found[f"dense seed_{seed}"].data.tags


def test_artifacts_lie_beside_the_database(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    fresh = root / "fresh"
    tracker = connect(fresh)
    results = fresh / "paper" / "quick" / "results.jsonl"
    results.parent.mkdir(parents=True)
    results.write_text("\n")
    tracker.open(results.parent, {})
    tracker.close({}, [results])
    assert list((fresh / "mlartifacts").rglob("results.jsonl"))
    assert not list(elsewhere.iterdir())


def test_a_killed_parent_is_succeeded_without_doubles(root: Path) -> None:
    folder = begin(root, "dense")
    add_lines(folder, line(0, **{"train/loss": 5.0}))
    first = opened(root)
    first.poll(now=True)
    del first  # killed: nothing was closed
    add_lines(folder, line(10, **{"train/loss": 4.0}))
    second = opened(root)
    second.poll(now=True)
    finish(folder)
    second.close({}, [])
    assert sorted(runs(second)) == ["dense seed_0", "paper quick"]
    assert {run.info.status for run in runs(second).values()} == {"FINISHED"}
    assert steps(second, "dense seed_0", "train/loss") == [0, 10]


def test_nothing_is_sent_twice(root: Path) -> None:
    folder = begin(root, "dense")
    add_lines(folder, line(0, **{"train/loss": 5.0}))
    finish(folder)
    opened(root).close({}, [])
    tracker = opened(root)
    tracker.close({}, [])
    assert sorted(runs(tracker)) == ["dense seed_0", "paper quick"]
    assert steps(tracker, "dense seed_0", "train/loss") == [0]


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        ("diverged", "FAILED"),
        ("out_of_memory", "FAILED"),
        ("failed", "FAILED"),
        ("pruned", "KILLED"),
    ],
)
def test_every_ending_is_told_apart(root: Path, status: str, ending: str) -> None:
    finish(begin(root, "dense"), status)
    tracker = opened(root)
    tracker.close({}, [])
    run = runs(tracker)["dense seed_0"]
    assert run.info.status == ending
    assert run.data.tags["moebench.state"] == status
    assert run.data.metrics["diverged"] == (status == "diverged")


def test_a_failed_run_that_is_made_again_goes_on(root: Path) -> None:
    folder = begin(root, "dense")
    finish(folder, "failed")
    opened(root).close({}, [])
    (folder / "record.json").unlink()
    add_lines(folder, line(0, **{"train/loss": 5.0}))
    tracker = opened(root)
    tracker.poll(now=True)
    assert runs(tracker)["dense seed_0"].info.status == "RUNNING"
    finish(folder)
    tracker.close({}, [])
    run = runs(tracker)["dense seed_0"]
    assert run.info.status == "FINISHED"
    assert run.data.tags["moebench.state"] == "finished"


def test_what_never_ended_is_not_left_running(root: Path) -> None:
    begin(root, "dense")
    tracker = opened(root)
    tracker.close({}, [])
    assert runs(tracker)["dense seed_0"].info.status == "KILLED"


def test_another_configuration_is_another_run(root: Path) -> None:
    folder = begin(root, "dense")
    finish(folder)
    opened(root).close({}, [])
    (folder / "config.json").write_text(json.dumps({"model": {"arm": "dense", "depth": 9}}))
    tracker = opened(root)
    tracker.close({}, [])
    found = tracker.client.search_runs([tracker.experiment])
    names = [run.data.tags["mlflow.runName"] for run in found]
    assert names.count("dense seed_0") == 2


def test_many_lines_and_long_parameters(root: Path) -> None:
    folder = begin(root, "dense", text="x" * 9000, **{f"key{n}": n for n in range(150)})
    add_lines(folder, *(line(n, **{"train/loss": 1.0, "route/dropped": 0.0}) for n in range(1200)))
    finish(folder)
    tracker = opened(root)
    tracker.close({}, [])
    assert not tracker.lost
    run = runs(tracker)["dense seed_0"]
    assert len(run.data.params) == 153
    assert len(run.data.params["model.text"]) == 6000
    assert steps(tracker, "dense seed_0", "route/dropped") == list(range(1200))


def test_a_server_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    root = tmp_path / "runs"
    with pytest.raises(ConnectionError, match=r"^MLFLOW_TRACKING_URI=http://127\.0\.0\.1:9: ") as e:
        connect(root)
    assert "\n" not in str(e.value)
    assert "--no-mlflow" in str(e.value)
    assert not root.exists()


def test_a_server_that_dies_costs_one_warning(root: Path, caplog) -> None:
    finish(begin(root, "dense"))
    tracker = opened(root)

    class Dead:
        def __getattr__(self, name: str) -> Any:
            raise OSError("connection refused")

    alive, tracker.client = tracker.client, Dead()
    for _ in range(3):
        tracker.poll(now=True)
    tracker.close({}, [])
    [message] = [record.getMessage() for record in caplog.records]
    assert "stopped answering" in message
    assert "moebench track" in message
    # The files are still there, and so is the way back.
    (root / "paper" / "quick" / "results.jsonl").write_text("\n")
    assert send(root) == 1
    tracker.client = alive
    assert runs(tracker)["dense seed_0"].info.status == "FINISHED"


def test_where_it_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert default_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    command = ui_command(tmp_path, 5050)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5050"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert default_uri(tmp_path) == "http://127.0.0.1:5000"


def test_parameters_are_flat() -> None:
    nested = {"a": {"b": 1, "c": {"d": None}}, "e": {}, "f": [1, {"g": 2}]}
    flat = {"a.b": "1", "a.c.d": "None", "e": "{}", "f": "[1, {'g': 2}]"}
    assert dict(flatten(nested)) == flat
