"""What a driver does when it is asked from another terminal; no run is made."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from moebench.run.driver_requests import ask_driver, take_request
from moebench.run.engine import Engine
from moebench.run.pausable import Pausable
from moebench.run.sole_user import sole_user


def one_run() -> Any:
    """A source that always has a run."""
    return SimpleNamespace(done=False, next=lambda: "a run", watch=lambda engine: None)


def watched(source: Pausable) -> None:
    """Watch as a scheduler does."""
    while True:
        source.watch(cast(Engine, None))


def test_a_paused_driver_starts_nothing_until_it_may(tmp_path: Path) -> None:
    with sole_user(tmp_path):
        source: Any = Pausable(tmp_path, [one_run()])
        assert source.next() == "a run"
        assert "starts no more runs" in ask_driver(tmp_path, "pause")
        source.watch(None)
        assert source.next() is None
        assert "goes on" in ask_driver(tmp_path, "resume")
        source.watch(None)
        assert source.next() == "a run"


def test_a_driver_that_is_asked_to_stop_ends_as_by_ctrl_c(tmp_path: Path) -> None:
    source: Any = Pausable(tmp_path, [one_run()])
    told: list[str] = []
    with sole_user(tmp_path):
        asking = threading.Thread(target=lambda: told.append(ask_driver(tmp_path, "stop")))
        asking.start()
        with pytest.raises(KeyboardInterrupt):
            watched(source)
    asking.join()
    assert "has stopped; the same command goes on" in told[0]


def test_nobody_is_there_to_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no process runs experiments here"):
        ask_driver(tmp_path, "pause")
    assert not take_request(tmp_path)


def test_what_an_earlier_driver_was_asked_for_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / ".request").write_text("pause")
    source: Any = Pausable(tmp_path, [one_run()])
    source.watch(None)
    assert source.next() == "a run"
