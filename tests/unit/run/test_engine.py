"""Engines by name, and what a worker leaves to the driver."""

import logging
import signal
from pathlib import Path

import pytest

from moebench.run import engines, worker
from moebench.run.engine import Engine
from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.job import Job


def lacking(workers: int) -> Engine:
    raise ModuleNotFoundError("No module named 'cloud'", name="cloud")


def test_an_engine_that_there_is_not_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="engine=lokal: unknown; the nearest: local"):
        Execution(engine="lokal")


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "cloud", lacking)
    with pytest.raises(ValueError, match=r'engine=cloud: needs cloud; `pip install "moebench\[cl'):
        Execution(engine="cloud").start()


@pytest.mark.parametrize(
    ("wrong", "words"), [({"workers": 0}, "workers=0"), ({"time_limit": 0.0}, "time_limit=0")]
)
def test_no_workers_and_no_time_are_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Execution(**wrong)


def test_ctrl_c_is_left_to_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal sends it to workers as well, which would each print where they were."""
    seen = []
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(worker, "write_messages", lambda _: None)
    monkeypatch.setattr(worker, "execute", lambda *_: seen.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        worker.main(Job("t", "p", "a", 0, Function("math:sqrt"), tmp_path / "seed_0"), 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_IGN]
