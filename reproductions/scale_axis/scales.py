"""Sizes of models, and what follows from them by rule; all are trained for equally many steps."""

from dataclasses import dataclass

from moebench.papers.settings import NETWORK, steps

VALIDATIONS = 5
RATE = 0.768  # peak learning rate times width: the default of all configurations at width 64
SHAPE = f"{NETWORK}.shape"


def rate(peak: float) -> dict[str, object]:
    """Return the setting for the peak of the learning rate."""
    return {
        "model.optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": peak, "fused": True},
        }
    }


@dataclass(frozen=True)
class Scale:
    """What models of all sizes in a profile have in common.

    Args:
        steps: of training, the same for all sizes.
        layers: blocks of a model.
        head: width of an attention head; 0: four heads whatever the width of the model.
        length: tokens of a sequence.
        batch: sequences of a batch.
    """

    steps: int
    layers: int = 4
    head: int = 0
    length: int = 64
    batch: int = 16
    vocabulary: int = 1024

    def model(self, width: int) -> dict[str, object]:
        """Return the settings of a model of this width."""
        return {
            f"{SHAPE}.width": width,
            f"{SHAPE}.hidden": 4 * width,
            f"{SHAPE}.layers": self.layers,
            f"{SHAPE}.heads": width // self.head if self.head else 4,
        }

    def training(self) -> dict[str, object]:
        """Return the settings of all training: a tenth is warm-up, the last fifth cooldown."""
        return {
            "data.init_args.vocabulary": self.vocabulary,
            "data.init_args.length": self.length,
            "data.init_args.batch_size": self.batch,
            "model.warmup_steps": self.steps // 10,
            **steps(self.steps, VALIDATIONS, cooldown=self.steps // 5),
        }
