"""When a run is saved, so that it can go on from there."""

import time
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from moebench.moe.devices import device_number, gathered


class Saving(Checkpoint):
    """Writes the checkpoint after a validation, so that none is lost or repeated.

    Args:
        path: of the checkpoint, which is written anew each time.
        seconds: that have to pass before it is written again; the last validation always counts.
    """

    def __init__(self, path: Path, seconds: float = 0.0) -> None:
        self.path = path
        self.seconds = seconds
        self.before = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write it, if it is time."""
        over = trainer.should_stop or trainer.global_step == trainer.max_steps
        due = over or time.monotonic() - self.before >= self.seconds
        if gathered(due)[0]:  # all devices save or none does
            self._write(trainer)
            self.before = time.monotonic()

    def _write(self, trainer: pl.Trainer) -> None:
        """Write the checkpoint beside its place, and then put it there in one step."""
        # Lightning writes to the disk of temporary files and copies: half a copy may be left.
        first = device_number() == 0  # which writes it
        part = self.path.with_name(f".{self.path.name}")
        try:
            trainer.save_checkpoint(part, weights_only=False)
            if first:
                part.replace(self.path)
        except BaseException:
            if first:
                part.unlink(missing_ok=True)
            raise
