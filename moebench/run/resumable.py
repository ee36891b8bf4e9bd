"""Whether a run can go on from its checkpoint and end with the bits it would have had."""

from pathlib import Path
from typing import Any

import torch
from lightning_fabric.utilities.data import sized_len
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import CombinedLoader

_KEY = "Resumable"


class Resumable(Callback):
    """Notes in the checkpoint whether the training loaders know their place in the data.

    A loader knows it if it has `state_dict`, `load_state_dict` and a length. Without the first two
    it would begin again in the middle of a resumed training; without a length Lightning reads a
    batch ahead, and the place saved is that of a batch that nobody was trained on.
    """

    def __init__(self) -> None:
        self.exact = False

    @property
    def state_key(self) -> str:
        """Name of the note in the checkpoint."""
        return _KEY

    def state_dict(self) -> dict[str, Any]:
        """Return the note."""
        return {"exact": self.exact}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the loaders."""
        self.exact = all(map(knows_its_place, CombinedLoader(trainer.train_dataloader).flattened))


def knows_its_place(loader: object) -> bool:
    """Say whether a loader can be saved and goes on after the last batch trained on."""
    if not (hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")):
        return False
    return bool(sized_len(loader))


def steps_to_keep(checkpoint: Path) -> int:
    """Return the steps trained at a checkpoint; 0 where there is none, or none to go on from.

    What cannot go on begins again, and so comes to the same end.
    """
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    exact = saved.get("callbacks", {}).get(_KEY, {}).get("exact", False)
    return int(saved["global_step"]) if exact else 0
