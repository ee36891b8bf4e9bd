"""When a checkpoint is due."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moebench.run import saving
from moebench.run.saving import Saving


class Trainer(SimpleNamespace):
    """A trainer that notes at which steps it was asked for a checkpoint."""

    def __init__(self) -> None:
        super().__init__(max_steps=-1, global_step=0, should_stop=False, saved=[])

    def save_checkpoint(self, path: Path, weights_only: bool) -> None:
        path.touch()
        self.saved.append(self.global_step)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that stands still until it is set."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(saving.time, "monotonic", lambda: clock.now)
    return clock


def test_the_time_begins_anew_with_each_checkpoint(clock: Any, tmp_path: Path) -> None:
    trainer, callback = Trainer(), Saving(tmp_path / "last.ckpt", 60.0)
    for trainer.global_step, clock.now in ((10, 50), (20, 70), (30, 120), (40, 131)):
        callback.on_validation_end(trainer, None)
    assert trainer.saved == [20, 40]


def test_a_run_that_is_told_to_stop_is_saved(clock: Any, tmp_path: Path) -> None:
    """As at the end of its last pass, which no number of steps tells."""
    trainer, callback = Trainer(), Saving(tmp_path / "last.ckpt", 60.0)
    for trainer.global_step, trainer.should_stop in ((10, False), (20, True)):
        callback.on_validation_end(trainer, None)
    assert trainer.saved == [20]
