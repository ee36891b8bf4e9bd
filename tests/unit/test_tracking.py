"""Files of runs on one side, a real SQLite MLflow on the other, and what may go wrong between."""

import fcntl
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from moebench import tracking
from moebench.records import RunRecord, write
from moebench.tracking import tracker as pace
from moebench.tracking.files import Tail, flatten, points
from moebench.tracking.reproduction import Partner, Reproduction
from moebench.tracking.server import open_store, shown
from moebench.tracking.store import Point, Store, legal, parts
from moebench.tracking.tracker import Tracker

CONFIG = {
    "seed_everything": 0,
    "model": {"router": {"class_path": "Switch", "init_args": {"factor": 1.25}}, "losses": {}},
    "data": {"class_path": "moebench.data.text.Text", "init_args": {"length": 32}},
    "callbacks": [1, None],
}
DENSE = Partner("dense", "active_flops")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty database; the first creation takes seconds."""
    root = tmp_path_factory.mktemp("template")
    open_store(root)
    return root


@pytest.fixture
def root(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of all runs; the current directory is another one."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    root = tmp_path / "somebody's runs"
    root.mkdir()
    shutil.copy(template / "mlflow.db", root)
    return root


class FakeRun:
    """Writes the files of a run as a worker does."""

    def __init__(self, folder: Path, arm: str = "switch", seed: int = 0, **config: object) -> None:
        self.folder = folder / arm / f"seed_{seed}"
        self.folder.mkdir(parents=True)
        self.record = RunRecord(
            target=folder.parent.name,
            profile=folder.name,
            arm=arm,
            seed=seed,
            status="finished",
            config_hash="c0ffee",
            commit="abc123",
            versions={"torch": "2.13"},
            data_hash="d" * 64,
            data_version=2,
            code={"their_pkg.router": "0123456789ab", "their_other": "1.2"},
            steps=100,
            params_total=1000,
            seconds=2.5,
            metrics={"valid/loss": 3.5, "valid/loss@100": 3.5, "route/dropped": 0.25},
        )
        self.configure({**CONFIG, "seed_everything": seed, **config})

    def configure(self, config: dict[str, Any]) -> None:
        (self.folder / "config.json").write_text(json.dumps(config))

    def lines(self, *steps: int, start: float = 1000.0) -> None:
        """Append a line a step; the loss is a tenth of the step, the time `start` + step."""
        with (self.folder / "history.jsonl").open("a") as file:
            for step in steps:
                line = {"step": step, "time": start + step, "train/loss": step / 10, "load/0/1": 1}
                file.write(json.dumps(line) + "\n")

    def end(self, status: str = "finished", **values: Any) -> None:
        fields = {**vars(self.record), **values, "status": status}
        write(RunRecord(**fields), self.folder / "record.json")


class Seen:
    """What MLflow has under a root, by arm."""

    def __init__(self, root: Path) -> None:
        self.client = open_store(root).client
        experiment = self.client.get_experiment_by_name("moebench").experiment_id
        runs = self.client.search_runs([experiment])
        self.children = [run for run in runs if run.data.tags["moebench.kind"] == "run"]
        self.parents = [run for run in runs if run.data.tags["moebench.kind"] == "reproduction"]

    def run(self, arm: str = "switch") -> Any:
        [run] = [run for run in self.children if run.data.tags["arm"] == arm]
        return run

    def series(self, name: str, arm: str = "switch") -> list[tuple[int, float, int]]:
        history = self.client.get_metric_history(self.run(arm).info.run_id, name)
        return [(point.step, point.value, point.timestamp) for point in history]

    def running(self) -> list[Any]:
        return [run for run in self.children + self.parents if run.info.status == "RUNNING"]


def begin(root: Path) -> tuple[Tracker, Path]:
    """A tracker that always looks, and the folder it has opened."""
    folder = root / "switch_2021" / "quick"
    tracker = Tracker(open_store(root), "here", seconds=0)
    tracker.open(folder, {"workers": "2"})
    return tracker, folder


# The files


def test_a_tail_waits_for_the_end_of_a_line_and_repeats_what_was_not_accepted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(b"one\ntwo\nthr")
    assert tail.read() == tail.read() == [b"one\n", b"two\n"]
    tail.accept(tail.read())
    assert tail.read() == []
    path.write_bytes(b"one\ntwo\nthree\n")
    assert tail.read() == [b"three\n"]


def test_a_tail_starts_over_where_the_file_was_cut_even_if_it_has_grown_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    tail = Tail(path)
    path.write_bytes(b"one\ntwo\n")
    tail.accept(tail.read())
    path.write_bytes(b"one\nTWO and more\nthree\n")
    assert tail.read() == [b"one\n", b"TWO and more\n", b"three\n"]


def test_points_leave_out_shares_of_experts_and_numbers_that_are_not_finite() -> None:
    line = b'{"step": 3, "time": 7.5, "train/loss": NaN, "load/0/1": 0.5, "route/dropped": 0.1}'
    assert list(points(line)) == [
        Point("diverged", 1.0, 7.5, 3),
        Point("route/dropped", 0.1, 7.5, 3),
    ]


def test_flatten_dots_the_names_and_keeps_lists_and_empty_maps_as_json() -> None:
    assert dict(flatten(CONFIG)) == {
        "seed_everything": "0",
        "model.router.class_path": "Switch",
        "model.router.init_args.factor": "1.25",
        "model.losses": "{}",
        "data.class_path": "moebench.data.text.Text",
        "data.init_args.length": "32",
        "callbacks": "[1, null]",
    }


def test_flatten_numbers_the_parts_of_a_list() -> None:
    losses = [{"loss": {"class_path": "ZLoss"}, "weight": 0.1}, {"weight": 0.2}]
    assert dict(flatten({"model": {"losses": losses}})) == {
        "model.losses.0.loss.class_path": "ZLoss",
        "model.losses.0.weight": "0.1",
        "model.losses.1.weight": "0.2",
    }


def test_legal_names_and_parts() -> None:
    assert legal("valid/loss@10 (a)") == "valid/loss_10 _a_"
    assert len(legal("x" * 300)) == 250
    assert [list(some) for some in parts([1, 2, 3], 2)] == [[1, 2], [3]]


# Where MLflow is


def test_the_default_database_is_beside_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.default_uri(Path("/some/runs")) == "sqlite:////some/runs/mlflow.db"
    command = " ".join(tracking.ui_command(Path("/some/runs"), 5001))
    assert "--host 127.0.0.1 --port 5001" in command
    assert "--backend-store-uri sqlite:////some/runs/mlflow.db" in command
    assert "--default-artifact-root file:///some/runs/mlartifacts" in command


def test_the_address_shown_is_that_of_the_list_of_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shown_at = tracking.ui_address(tmp_path, 5001)
    number = tracking.connect(tmp_path).store.experiment
    assert shown_at.startswith(f"http://127.0.0.1:5001/#/experiments/{number}/runs")


def test_a_server_has_its_own_ui_and_its_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@tracker:5000")
    assert tracking.default_uri(Path("runs")) == "http://me:secret@tracker:5000"
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_URI=http://tracker:5000"):
        tracking.ui_command(Path("runs"), 5000)
    assert shown("postgresql://me:secret@db/x") == "postgresql://db/x"


def free_port() -> int:
    """A port of this machine with nothing behind it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_dead_server_is_one_line_within_seconds_and_nothing_is_written(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"{scheme}://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=rf"MLflow at {uri} .*MLFLOW_TRACKING_URI") as caught:
        tracking.connect(tmp_path / "runs")
    assert time.monotonic() - started < 5
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").write_text("some text that is no database at all" * 100)
    with pytest.raises(ConnectionError, match="not a database"):
        tracking.connect(tmp_path)


def test_a_database_that_cannot_be_opened_is_refused_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").mkdir()
    started = time.monotonic()
    with pytest.raises(ConnectionError, match="unable to open"):
        tracking.connect(tmp_path)
    assert time.monotonic() - started < 5


def test_a_new_database_is_made_in_silence_and_nothing_elsewhere(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "my runs", tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "import sys, pathlib; from moebench import tracking; assert 'mlflow' not in sys.modules; "
        "tracking.connect(pathlib.Path(sys.argv[1]))"
    )
    environment = {name: os.environ[name] for name in os.environ if "MLFLOW" not in name}
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, str(root)],
        cwd=elsewhere,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in root.iterdir()] == ["mlflow.db"]


# A run while it grows


def test_every_line_is_sent_once_with_its_step_and_time(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    tracker.poll()
    assert Seen(root).children == []  # not begun yet
    run.lines(0, 20)
    tracker.poll()
    tracker.poll()
    assert Seen(root).run().info.status == "RUNNING"
    run.lines(40)
    tracker.poll()
    seen = Seen(root)
    assert seen.series("train/loss") == [(0, 0, 1000000), (20, 2, 1020000), (40, 4, 1040000)]
    assert set(seen.run().data.metrics) == {"train/loss"}
    assert seen.run().info.start_time == 1000000


def test_a_run_says_what_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    tracker, folder = begin(root)
    FakeRun(folder, seed=3, note="x" * 7000).lines(0)
    tracker.poll()
    seen = Seen(root)
    tags = seen.run().data.tags
    [parent] = seen.parents
    assert tags["mlflow.parentRunId"] == parent.info.run_id
    assert {name: tags[name] for name in ("target", "profile", "arm", "seed")} == {
        "target": "switch_2021",
        "profile": "quick",
        "arm": "switch",
        "seed": "3",
    }
    assert parent.data.tags["workers"] == "2"
    assert seen.run().data.params["model.router.init_args.factor"] == "1.25"
    assert seen.run().data.params["note"] == "x" * 6000


def test_a_name_that_mlflow_does_not_take_is_no_reason_to_stop(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    line = {"step": 0, "time": 1.0, "route/entropy(1)": 2.0, "train/loss": float("nan")}
    (run.folder / "history.jsonl").write_text(json.dumps(line) + "\n")
    tracker.poll()
    assert Seen(root).run().data.metrics == {"route/entropy_1_": 2.0, "diverged": 1.0}
    assert caplog.messages == []


def test_more_points_than_one_request_takes(root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).lines(*range(2500))
    tracker.poll()
    assert [step for step, _, _ in Seen(root).series("train/loss")] == list(range(2500))


def test_the_record_ends_the_run_with_results_costs_and_data(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end()
    tracker.poll()
    seen = Seen(root).run()
    assert seen.data.metrics == {
        "train/loss": 0.0,
        "final/valid/loss": 3.5,
        "final/route/dropped": 0.25,
        "cost/steps": 100,
        "cost/params_total": 1000,
        "cost/seconds": 2.5,
    }
    [data] = seen.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("Text", "d" * 36)
    assert seen.data.tags["mlflow.source.git.commit"] == "abc123"
    assert seen.data.tags["version.torch"] == "2.13"
    ended = (run.folder / "record.json").stat().st_mtime
    assert seen.info.end_time == pytest.approx(ended * 1000, abs=1)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("finished", "FINISHED"),
        ("pruned", "KILLED"),
        ("diverged", "FAILED"),
        ("out_of_memory", "FAILED"),
        ("failed", "FAILED"),
    ],
)
def test_how_a_run_ended(state: str, status: str, root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).end(state, metrics={})
    tracker.poll()
    run = Seen(root).run()
    assert run.info.status == status
    assert run.data.tags["moebench.state"] == state
    assert run.data.metrics.get("diverged", 0) == (state == "diverged")


def test_a_look_stops_after_its_seconds_and_the_next_goes_on(root: Path) -> None:
    folder = root / "switch_2021" / "quick"
    reproduction = Reproduction(open_store(root), folder, {})
    for seed in range(3):
        FakeRun(folder, seed=seed).lines(0)
    for count in (1, 2, 3):
        reproduction.update(seconds=0)
        assert len(Seen(root).children) == count


# After a kill


def test_a_new_tracker_goes_on_with_the_runs_of_a_dead_one(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0, 20, 40)
    tracker.poll()
    first = Seen(root)
    tracker, _ = begin(root)  # the other one was killed
    assert Seen(root).run().info.status == "KILLED"
    # The worker goes on from its checkpoint at step 20 and repeats what came after it.
    (run.folder / "history.jsonl").unlink()
    run.lines(0)
    run.lines(20, 40, 60, start=5000.0)
    tracker.poll()
    seen = Seen(root)
    assert seen.run().info.run_id == first.run().info.run_id
    assert seen.run().info.status == "RUNNING"
    assert seen.parents[0].info.run_id == first.parents[0].info.run_id
    assert [step for step, _, _ in seen.series("train/loss")] == [0, 20, 40, 60]
    run.end()
    tracker.close({}, [])
    assert Seen(root).run().info.status == "FINISHED"
    assert Seen(root).running() == []


def test_a_tracker_killed_before_its_last_word_does_not_repeat_the_others(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end()
    tracker.poll()
    seen = Seen(root)
    before = seen.run()
    seen.client.delete_tag(before.info.run_id, "moebench.record")  # as if killed before it
    seen.client.update_run(before.info.run_id, "RUNNING")
    tracker, _ = begin(root)
    tracker.close({}, [])
    after = Seen(root)
    assert after.run().info.run_id == before.info.run_id
    assert after.run().info.status == "FINISHED"
    assert len(after.series("final/valid/loss")) == len(after.series("train/loss")) == 1


def test_another_configuration_in_the_folder_is_another_run(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0, 20)
    tracker.poll()
    old = Seen(root).run().info.run_id
    run.configure({**CONFIG, "seed_everything": 7})
    (run.folder / "history.jsonl").unlink()
    run.lines(0)
    tracker.poll()
    assert {r.info.run_id == old: r.info.status for r in Seen(root).children} == {
        True: "KILLED",
        False: "RUNNING",
    }
    tracker.close({}, [], status="KILLED")
    assert Seen(root).running() == []


def test_a_failed_run_made_again_is_another_run(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end("failed")
    tracker.poll()
    (run.folder / "record.json").unlink()
    tracker.poll()
    run.lines(20)
    run.end("finished")
    tracker.poll()
    tracker.poll()
    states = sorted(run.data.tags["moebench.state"] for run in Seen(root).children)
    assert states == ["failed", "finished"]


# The end


def test_the_end_links_the_dense_baseline_and_keeps_the_results(root: Path, template: Path) -> None:
    tracker, folder = begin(root)
    for arm in ("switch", "dense", "hash"):
        for seed in (0, 1):
            FakeRun(folder, arm, seed).end()
    FakeRun(folder, seed=2)  # never begun; its partner is
    FakeRun(folder, "dense", seed=2).end()
    verdicts: list[dict[str, object]]
    verdicts = [{"claim": str(n), "verdict": word} for n, word in enumerate(["partial"] * 2)]
    verdicts += [
        {"claim": "1n", "verdict": "control passed", "of_paper": False, "control_of": "1"},
        {"claim": "2", "verdict": "reproduced", "of_paper": False, "control_of": ""},
    ]
    (folder / "verdicts.json").write_text(json.dumps(verdicts))
    files = [folder / "verdicts.json", folder / "report.html"]
    tracker.close({"switch": DENSE, "dense": DENSE, "hash": Partner("gone", "steps")}, files)
    seen = Seen(root)
    runs = {(run.data.tags["arm"], run.data.tags["seed"]): run for run in seen.children}
    for index in ("0", "1"):
        tags = runs["switch", index].data.tags
        assert tags["dense_baseline"] == runs["dense", index].info.run_id
        assert tags["matched_on"] == "active_flops"
        assert "dense_baseline" not in runs["dense", index].data.tags
        assert "dense_baseline" not in runs["hash", index].data.tags
    [parent] = seen.parents
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {
        "verdicts/partial": 2,
        "controls/control passed": 1,
        "ours/reproduced": 1,
    }
    kept = [file.path for file in seen.client.list_artifacts(parent.info.run_id)]
    assert kept == ["verdicts.json"]
    assert parent.info.artifact_uri.startswith((template / "mlartifacts").as_uri())
    assert list(Path.cwd().iterdir()) == []


def test_a_reproduction_repeated_sends_nothing_twice(root: Path) -> None:
    for _ in range(2):
        tracker, folder = begin(root)
        if not folder.exists():
            FakeRun(folder).end()
        tracker.close({}, [])
    seen = Seen(root)
    assert len(seen.children) == len(seen.parents) == 1


# Sending later


def test_send_sends_what_is_finished_and_only_once(root: Path) -> None:
    for target in ("switch_2021", "hash_2021"):
        FakeRun(root / target / "quick").end()
        FakeRun(root / target / "quick", seed=1).end("diverged")
    FakeRun(root / "glam_2021" / "quick")
    assert tracking.send(root, "hash_2021") == tracking.Sent(new=2)
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


def test_send_knows_a_record_wherever_it_lies(root: Path, tmp_path: Path) -> None:
    FakeRun(root / "switch_2021" / "quick").end()
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
    tracking.send(root, partners={"switch_2021": {"switch": DENSE}})
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
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert tracking.send(root).busy == 1
    assert len(Seen(root).running()) == 2  # the parent and seed 0


def test_send_without_runs_says_so(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no finished runs"):
        tracking.send(root, "switch_2021")


# MLflow fails in mid-run


class Answers(BaseHTTPRequestHandler):
    """As much of an MLflow server as a run needs."""

    def reply(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        info = {"run_id": "r" * 32, "experiment_id": "1", "status": "RUNNING", "start_time": 1}
        experiment = {"experiment_id": "1", "name": "moebench", "lifecycle_stage": "active"}
        known = {
            "get-by-name": {"experiment": experiment},
            "create": {"run": {"info": info, "data": {}}},
        }
        body = json.dumps(known.get(self.path.split("?")[0].rpartition("/")[2], {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = reply

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """A server on loopback that `MLFLOW_TRACKING_URI` names."""
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def test_a_server_that_dies_is_one_warning_and_no_delay(
    server: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "runs" / "switch_2021" / "quick"
    tracker = tracking.connect(tmp_path / "runs")
    tracker.seconds = 0
    tracker.open(folder, {})
    run = FakeRun(folder)
    run.lines(0)
    tracker.poll()
    assert caplog.messages == []
    server.shutdown()
    server.server_close()
    started = time.monotonic()
    for step in range(20, 100, 20):
        run.lines(step)
        tracker.poll()
    tracker.close({}, [])
    assert time.monotonic() - started < 5
    [message] = caplog.messages
    assert str(server.server_port) in message
    assert "moebench track" in message
    assert "\n" not in message


def test_after_a_rest_nothing_is_lost(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    send, sizes = Store.log_points, []

    def fail_later(store: Store, run_id: str, points: list[Point]) -> None:
        sizes.append(len(points))
        if len(sizes) == 2:
            raise OSError("away")
        send(store, run_id, points)

    monkeypatch.setattr(Store, "log_points", fail_later)
    run.lines(*range(1, 2000))
    tracker.poll()  # the second of two requests fails
    tracker.poll()  # rests
    assert len(sizes) == 2
    monkeypatch.setattr(tracker, "due", 0.0)
    tracker.poll()
    assert sizes[2:] == [1000]
    assert [step for step, _, _ in Seen(root).series("train/loss")] == list(range(2000))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_an_interrupted_run_is_gone_on_with_even_if_mlflow_fails_at_first(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    tracker.poll()
    tracker, _ = begin(root)

    def fail(store: Store, run_id: str) -> dict[str, int]:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "last_steps", fail)
        tracker.poll()
    tracker.due = 0.0
    run.lines(20)
    tracker.poll()
    assert [step for step, _, _ in Seen(root).series("train/loss")] == [0, 20]


def test_looks_keep_their_distance(root: Path) -> None:
    tracker, folder = begin(root)
    tracker.seconds = pace.SECONDS
    tracker.poll()
    FakeRun(folder).lines(0)
    tracker.poll()
    assert Seen(root).children == []
    tracker.due = 0
    tracker.poll()
    assert len(Seen(root).children) == 1


def test_a_tracker_without_a_reproduction_does_nothing(root: Path) -> None:
    tracker = Tracker(open_store(root), "here")
    tracker.poll()
    tracker.close({}, [])
    assert Seen(root).parents == []


OPENED = """
import sys, time
from pathlib import Path
import mlflow
from moebench.tracking.server import open_store
root = Path(sys.argv[1])
(root / sys.argv[2]).touch()
while not all((root / name).exists() for name in "ab"):
    time.sleep(0.001)
open_store(root)
"""


def test_two_programs_may_make_the_database_at_once(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", OPENED, str(tmp_path), name] for name in "ab"]
    both = [subprocess.Popen(one, stderr=subprocess.PIPE, text=True) for one in commands]
    errors = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], errors


def test_a_record_that_cannot_be_read_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "t" / "quick" / "dense" / "seed_0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"target": "t", "profi')
    with pytest.raises(ValueError, match=r"seed_0/record\.json:1: not a run record"):
        tracking.send(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
