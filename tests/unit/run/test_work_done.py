"""Which time counts as training."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from moebench.run import work_done
from moebench.run.work_done import Work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that stands still until it is set."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(work_done.time, "perf_counter", lambda: clock.now)
    return clock


def test_neither_validation_nor_loading_counts(clock: Any) -> None:
    work, batch = Work(), SimpleNamespace(target_BL=torch.zeros(4, 3))
    work.on_train_start(SimpleNamespace(global_step=0), None)
    for number, (waited, trained) in enumerate([(7.0, 1.0), (30.0, 2.0), (500.0, 3.0)]):
        clock.now += waited
        work.on_train_batch_start()
        clock.now += trained
        work.on_train_batch_end(None, None, None, batch, number)
    assert work.seconds == 6.0
    assert work.lap(3) == 2.0
