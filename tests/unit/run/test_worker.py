"""What a worker leaves to the driver."""

import logging
import signal
from pathlib import Path

import pytest

from moebench.run import worker
from moebench.run.function import Function
from moebench.run.job import Job


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
