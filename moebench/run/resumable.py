"""Whether a run can resume from its checkpoint and end bit for bit as if never interrupted."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning_fabric.utilities.data import sized_len
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import CombinedLoader

_KEY = "Resumable"
log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """What a checkpoint has to resume from."""

    steps: int = 0  # trained; 0: nothing
    written: int = 0  # bytes of the history


class Resumable(Callback):
    """Notes in the checkpoint whether training can resume from it, and the size of the history.

    The training loaders must have `state_dict`, `load_state_dict` and a length. Without the first
    two a resumed training would start over in the data; without a length Lightning reads a batch
    ahead, and the position saved is past a batch that was never trained on. Nor may gradients be
    waiting for an optimiser step, as when a module or a callback accumulates them by itself: they
    are not saved.

    Args:
        history: the file.
    """

    def __init__(self, history: Path) -> None:
        self.history = history
        self.placed = False
        self.waiting = False

    @property
    def state_key(self) -> str:
        """Name of the note in the checkpoint."""
        return _KEY

    def state_dict(self) -> dict[str, Any]:
        """Return the note."""
        written = self.history.stat().st_size if self.history.exists() else 0
        return {"exact": self.placed and not self.waiting, "written": written}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check the loaders."""
        self.placed = all(map(knows_its_place, CombinedLoader(trainer.train_dataloader).flattened))

    def on_train_batch_start(self, *_: Any) -> None:
        """Note that gradients will be waiting."""
        self.waiting = True

    def on_before_optimizer_step(self, *_: Any) -> None:
        """Note that the optimiser uses them."""
        self.waiting = False


def knows_its_place(loader: object) -> bool:
    """Say whether a loader can be saved and resumes after the last batch trained on."""
    if not (hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")):
        return False
    return bool(sized_len(loader))


def kept(checkpoint: Path) -> Kept:
    """Return what to resume from; nothing without a checkpoint, or with an inexact one.

    A run that cannot resume starts over, and so ends the same.
    """
    if not checkpoint.exists():
        return Kept()
    try:
        saved = torch.load(checkpoint, weights_only=True)
    except OSError:
        raise
    except Exception:  # a damaged file makes torch raise anything
        log.warning("%s: cannot be read; the run begins again", checkpoint)
        return Kept()
    note = saved.get("callbacks", {}).get(_KEY, {})
    if not note.get("exact") or "written" not in note:
        return Kept()
    return Kept(int(saved["global_step"]), note["written"])
