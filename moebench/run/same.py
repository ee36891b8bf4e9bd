"""A run is what was asked for: if data or code have changed since, it ends before training."""

import pytorch_lightning as pl
from pytorch_lightning import Callback

from moebench.experiment import Experiment, stamp_of
from moebench.run.function import Function


def refuse_other_code(asked: Experiment | Function) -> None:
    """Compare the source files with what they were when the run was asked for.

    Raises:
        ValueError: naming what has changed.
    """
    now = asked.code_now()
    both = {*now, *asked.code}
    if changed := sorted(name for name in both if now.get(name) != asked.code.get(name)):
        raise ValueError(f"code: {', '.join(changed)} changed after the run was asked for")


class SameData(Callback):
    """Compares the data that a run is about to train on with those that were asked for.

    Args:
        asked: the experiment; its data are known.
    """

    def __init__(self, asked: Experiment) -> None:
        self.asked = asked

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuse different data.

        Raises:
            ValueError: if they differ.
        """
        found = stamp_of(trainer.datamodule)  # type: ignore[attr-defined]
        if found != self.asked.data:
            hashes = f"{self.asked.data.content_hash[:8]}, {found.content_hash[:8]}"
            raise ValueError(
                f"data: changed after the run was asked for ({hashes}), or their content_hash"
                " depends on the seed, which it must not"
            )
