"""Where MLflow is, and that it answers or fails within seconds, in silence."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moebench import tracking
from moebench.tracking.server import open_store, shown


def test_the_default_database_is_beside_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.default_uri(Path("/some/runs")) == "sqlite:////some/runs/mlflow.db"
    command = " ".join(tracking.ui_command(Path("/some/runs"), 5001))
    assert "--host 127.0.0.1 --port 5001" in command
    assert "--backend-store-uri sqlite:////some/runs/mlflow.db" in command
    assert "--default-artifact-root file:///some/runs/mlartifacts" in command


def test_the_address_shown_is_that_of_the_list_of_runs(root: Path) -> None:
    shown_at = tracking.ui_address(root, 5001)
    number = tracking.connect(root).store.experiment
    assert shown_at.startswith(f"http://127.0.0.1:5001/#/experiments/{number}/runs")


def test_the_page_opens_on_a_view_of_runs_and_their_losses(root: Path) -> None:
    """As MLflow's pages read it: an envelope with the name, and in it the state as JSON."""
    name = tracking.ui_address(root, 5001).partition("viewStateShareKey=")[2]
    store = tracking.connect(root).store
    tags = store.client.get_experiment(store.experiment).tags
    view = json.loads(tags[f"mlflow.sharedViewState.{name}"])
    assert isinstance(view["name"], str)
    assert isinstance(view["createdAt"], int)
    state = json.loads(view["state"])
    assert state["columnOrder"][0] == "metrics.`final/valid/loss`"
    store.begin("parent", {"moebench.kind": "reproduction"}, 1.0)
    run = store.begin("child", {"moebench.kind": "run"}, 2.0)
    found = store.client.search_runs([store.experiment], state["searchFilter"])
    assert [one.info.run_id for one in found] == [run]
    [section] = state["compareRunSections"]
    for chart in state["compareRunCharts"]:
        assert (chart["metricKey"], chart["metricSectionId"]) == ("valid/loss", section["uuid"])


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
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in root.iterdir()] == ["mlflow.db"]


def test_programs_make_the_database_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes the tables is never called twice at once; a lock of files holds between threads.

    Each opens the folder for itself, as another program would.
    """
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    making, made = threading.Lock(), []

    def make(tracking_uri: str) -> None:
        assert making.acquire(blocking=False), "another is still making it"
        time.sleep(0.05)
        Path(tracking_uri.removeprefix("sqlite:///")).write_bytes(b"tables")
        made.append(tracking_uri)
        making.release()

    monkeypatch.setattr("mlflow.MlflowClient", make)
    monkeypatch.setattr("moebench.tracking.server.Store", lambda *_: None)
    with ThreadPoolExecutor() as pool:
        list(pool.map(open_store, [tmp_path] * 4))
    new, *opened = made
    assert re.fullmatch(r".*/mlflow\.db\.\w+\.new", new), "beside it, until it is whole"
    assert opened == [tracking.default_uri(tmp_path)] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
