"""Sizes of models, and what follows from them by rule: learning rate, warm-up and steps."""

from dataclasses import dataclass

from moebench.papers.settings import NETWORK, steps

VALIDATIONS = 8
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
        tokens: per active parameter of a dense model.
        layers: blocks of a model.
        head: width of an attention head; 0: four heads whatever the width of the model.
        length: tokens of a sequence.
        batch: sequences of a batch.
    """

    tokens: float
    layers: int = 4
    head: int = 0
    length: int = 64
    batch: int = 16
    vocabulary: int = 1024

    def active(self, width: int) -> int:
        """Return the weights in the matrices of a dense model: embedding, attention and blocks."""
        return width * (self.vocabulary + 12 * self.layers * width)

    def steps(self, width: int) -> int:
        """Return the training steps, a multiple of the number of validations."""
        exact = self.tokens * self.active(width) / (self.length * self.batch)
        return VALIDATIONS * round(exact / VALIDATIONS)

    def model(self, width: int) -> dict[str, object]:
        """Return the settings of a model of this width."""
        return {
            f"{SHAPE}.width": width,
            f"{SHAPE}.hidden": 4 * width,
            f"{SHAPE}.layers": self.layers,
            f"{SHAPE}.heads": width // self.head if self.head else 4,
        }

    def training(self, width: int) -> dict[str, object]:
        """Return the settings of its training: a tenth is warm-up, the last fifth cooldown."""
        number = self.steps(width)
        return {
            "data.init_args.vocabulary": self.vocabulary,
            "data.init_args.length": self.length,
            "data.init_args.batch_size": self.batch,
            "model.warmup_steps": number // 10,
            **steps(number, VALIDATIONS, cooldown=number // 5),
        }
