"""MLflow fails in mid-run."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from moebench import tracking
from moebench.tracking import tracker as pace
from moebench.tracking.server import open_store
from moebench.tracking.store import METRICS, Point, Store
from moebench.tracking.tracker import Tracker

from .fakes import FakeRun, Seen, begin


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
    folder = tmp_path / "runs" / "paper_2021" / "quick"
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
    run.lines(*range(1, METRICS + 1))
    tracker.poll()  # the second of two requests fails
    tracker.poll()  # rests
    assert len(sizes) == 2
    monkeypatch.setattr(tracker, "due", 0.0)
    tracker.poll()
    assert sizes[2:] == [1]
    assert [step for step, _, _ in Seen(root).series("train/loss")] == list(range(METRICS + 1))
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
    tracker = Tracker(lambda: open_store(root), "here")
    tracker.poll()
    tracker.close({}, [])
    assert Seen(root).parents == []
