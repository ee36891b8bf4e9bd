"""What a run was trained on, counted in one place."""

import math
import time
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class Work(Callback):
    """Counts the batches trained on and the seconds they took, across interruptions.

    An optimiser step may take several batches, so tokens are counted by batches, never by steps; a
    partial batch, as the last of a pass may be, counts in proportion. The time excludes validation,
    loading of data and set-up.
    """

    def __init__(self) -> None:
        self.rows = 0  # sequences trained on, or batches where they have none
        self.full = 1  # of them in a full batch
        self.seconds = 0.0
        self.started = 0.0
        self.lap_began = (0, 0.0)  # steps and seconds by then

    def state_dict(self) -> dict[str, Any]:
        """Return the counts so far."""
        return {"rows": self.rows, "full": self.full, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the counts of the interrupted run."""
        self.rows, self.full = state_dict["rows"], state_dict["full"]
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a lap when training starts or resumes."""
        self.lap_began = (trainer.global_step, self.seconds)

    def on_train_batch_start(self, *_: Any) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the clock and count the batch."""
        self.seconds += time.perf_counter() - self.started
        target_BL = getattr(batch, "target_BL", None)
        rows = 1 if target_BL is None else len(target_BL)
        self.rows += rows
        self.full = max(self.full, rows)

    def tokens(self, per_batch: int) -> int:
        """Return the tokens trained on, given those of a full batch."""
        return round(self.rows * per_batch / self.full)

    def lap(self, steps: int) -> float:
        """Return the mean seconds per optimiser step since the last call; NaN if there was none.

        Args:
            steps: optimiser steps so far.
        """
        (steps_before, seconds_before), self.lap_began = self.lap_began, (steps, self.seconds)
        made = steps - steps_before
        return (self.seconds - seconds_before) / made if made else math.nan
