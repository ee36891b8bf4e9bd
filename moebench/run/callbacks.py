"""Callbacks that every run needs: exact resumption, validations, three ways to stop."""

import math
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from moebench.moe.devices import device_number, gathered
from moebench.run.work_done import Work


class Diverged(Exception):
    """A loss is no longer a finite number."""


class Pruned(Exception):
    """The run was cut short because it is not worth finishing."""


class RandomState(Callback):
    """Saves the random generators in the checkpoint, so that a resumed run is identical.

    Devices that train together draw different numbers, as their tokens differ. A device that was
    not there when the checkpoint was written begins with a seed of its own.
    """

    def __init__(self) -> None:
        self.restored: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators now, with those of the other devices."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        first, *others = gathered({"cpu": torch.get_rng_state(), "cuda": cuda})
        return {**first, "others": others} if others else first

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember the state until training starts; building the loaders must not disturb it."""
        self.restored = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restore the state."""
        saved = self.restored or {}
        states = [saved, *saved.get("others", [])]
        self.restored, rank = None, device_number()
        if rank >= len(states) or (rank and not saved):
            words = [torch.initial_seed(), rank, trainer.global_step]
            torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        elif saved:
            torch.set_rng_state(states[rank]["cpu"].cpu())
            if states[rank]["cuda"]:
                torch.cuda.set_rng_state_all([state.cpu() for state in states[rank]["cuda"]])


class LogValidation(Callback):
    """Logs the result of each validation at the number of steps trained so far.

    Lightning itself would log it at the index of the last step, one less. Checkpoints come after
    all other callbacks, so none is ever ahead of its validation. `seconds/step` is logged as well,
    the mean over the optimiser steps since the previous validation.
    """

    def __init__(self, work: Work) -> None:
        self.work = work

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write one line."""
        values = {
            name: value.item()
            for name, value in trainer.callback_metrics.items()
            if name.startswith("valid/")
        }
        values["seconds/step"] = self.work.lap(trainer.global_step)
        for logger in trainer.loggers:
            logger.log_metrics(values, step=trainer.global_step)


class ValidateLast(Callback):
    """Asks for a validation after the last step if none falls there.

    The interval between validations need not divide the steps, and begins anew with each pass over
    the data. A record and the weights that are kept are of the last validation.
    """

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ask Lightning to stop: it then validates first."""
        steps = 0 < trainer.max_steps <= trainer.global_step
        passes = trainer.is_last_batch and trainer.current_epoch + 1 == trainer.max_epochs
        trainer.should_stop = trainer.should_stop or steps or passes


class StopOnDivergence(Callback):
    """Raises `Diverged` when a loss is not finite.

    The training loss is checked at the logging interval, the validation loss every time: the last
    validation may be the first to show it, and an earlier one must not pass for the result.
    """

    def on_validation_end(self, trainer: pl.Trainer, pl_module: LightningModule) -> None:
        """Check the validation loss."""
        loss = trainer.callback_metrics.get("valid/loss")
        if loss is not None and not math.isfinite(loss.item()):
            raise Diverged(f"the validation loss is {loss.item()}")

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Check the training loss."""
        on_cpu = pl_module.device.type == "cpu"  # elsewhere reading it makes the device wait
        interval = 1 if on_cpu else trainer.log_every_n_steps  # type: ignore[attr-defined]
        loss = (outputs or {}).get("loss")  # none under manual optimisation
        if batch_idx % interval == 0 and loss is not None and not math.isfinite(loss.item()):
            raise Diverged(f"the training loss is {loss.item()}")


class StopWithParent(Callback):
    """Ends a worker whose parent was killed, so that no orphan competes with its successor."""

    def on_train_batch_start(self, *_: Any) -> None:
        """Check that the parent process is still alive."""
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            os._exit(1)


class StopWhenPruned(Callback):
    """Raises `Pruned` before the next step once a file exists, which the parent process makes.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_batch_start(self, *_: Any) -> None:
        """Check for the file."""
        if self.path.exists():
            raise Pruned
