"""What a run needs beside training: exact resumption, its validations, three reasons to stop."""

import math
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from moebench.run.work import Work


class Diverged(Exception):
    """A loss is no longer a finite number."""


class Pruned(Exception):
    """Somebody decided that the run is not worth its end."""


class RandomState(Callback):
    """Keeps the state of the random generators in the checkpoint: a resumed run is the same."""

    def __init__(self) -> None:
        self.restored: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators now."""
        devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return {"cpu": torch.get_rng_state(), "cuda": devices}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember the state until training starts; building the loaders must not disturb it."""
        self.restored = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the remembered state back."""
        if self.restored is not None:
            torch.set_rng_state(self.restored["cpu"].cpu())
            if self.restored["cuda"]:
                torch.cuda.set_rng_state_all([state.cpu() for state in self.restored["cuda"]])
            self.restored = None


class LogValidation(Callback):
    """Writes the result of each validation to the loggers, at the number of steps trained by then.

    Lightning itself would write the number of the last step, one less. Checkpoints come after all
    other callbacks, so none is ever ahead of its validation. Beside it stands `seconds/step`, the
    mean over the optimiser steps since the validation before.
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


class StopOnDivergence(Callback):
    """Raises `Diverged` when a loss is not finite, of training at the logging interval.

    Of validation at once: the last one may be the first to see it, and an earlier one must not
    stand for the result.
    """

    def on_validation_end(self, trainer: pl.Trainer, pl_module: LightningModule) -> None:
        """Look at the validation loss."""
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
        """Look at the loss just descended."""
        on_cpu = pl_module.device.type == "cpu"  # elsewhere a look makes the device wait
        interval = 1 if on_cpu else trainer.log_every_n_steps  # type: ignore[attr-defined]
        loss = (outputs or {}).get("loss")  # a module that steps by itself need not return one
        if batch_idx % interval == 0 and loss is not None and not math.isfinite(loss.item()):
            raise Diverged(f"the training loss is {loss.item()}")


class StopWithParent(Callback):
    """Ends a worker whose parent was killed, so that no orphan goes on beside its successor."""

    def on_train_batch_start(self, *_: Any) -> None:
        """Look whether the process that started this one is still there."""
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            os._exit(1)


class StopWhenPruned(Callback):
    """Raises `Pruned` before the next step once a file is there; whoever watches the run makes it.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_batch_start(self, *_: Any) -> None:
        """Look for the file."""
        if self.path.exists():
            raise Pruned
