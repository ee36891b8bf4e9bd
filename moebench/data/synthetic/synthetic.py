"""Batches of a world: drawn anew for every step, the same for all models with one seed."""

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pytorch_lightning as pl
import torch

from moebench.data.contract import TextBatch
from moebench.data.endless import ENDLESS
from moebench.data.synthetic.markov import Sources
from moebench.data.synthetic.recall import Recall
from moebench.data.synthetic.uniform import Uniform
from moebench.data.synthetic.world import World

# First words of the seeds, so that training and validation never coincide.
_TRAIN, _VALID = 11, 12


class Synthetic(pl.LightningDataModule):
    """Next-token prediction in a world of known entropy; validation is the same for every seed.

    Args:
        world: `Uniform`, `Sources`, `Recall`, or one of your own.
        vocabulary: number V of ids of the model; at least as many as the world uses.
        length: tokens L that the model reads from a sequence.
        batch_size: sequences B in a batch.
        valid_batches: number of validation batches.
        seed: seed of the training sequences.

    Raises:
        ValueError: if a number is out of range.
    """

    version = 1  # raise it when the same arguments would give other batches

    def __init__(
        self,
        world: Uniform | Sources | Recall | World,
        vocabulary: int = 1024,
        length: int = 64,
        batch_size: int = 32,
        valid_batches: int = 32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if vocabulary < world.vocabulary:
            raise ValueError(f"data.vocabulary={vocabulary}: the world uses {world.vocabulary} ids")
        sizes = {"length": length, "batch_size": batch_size, "valid_batches": valid_batches}
        for name, number in sizes.items():
            if number < 1:
                raise ValueError(f"data.{name}={number}: must be at least 1")
        if seed < 0:
            raise ValueError(f"data.seed={seed}: must not be negative")
        self.world = world
        self.vocabulary = vocabulary
        self.length = length
        self.batch_size = batch_size
        self.valid_batches = valid_batches
        self.seed = seed

    def train_dataloader(self) -> "DrawnBatches":
        """Return an endless series of training batches, which can resume at any of them."""
        return DrawnBatches(self, (_TRAIN, self.seed), None)

    def val_dataloader(self) -> "DrawnBatches":
        """Return the validation batches."""
        return DrawnBatches(self, (_VALID,), self.valid_batches)

    def batch(self, rng: np.random.Generator) -> TextBatch:
        """Draw one batch."""
        ids_BW, domain_B = self.world.draw(self.batch_size, self.length + 1, rng)
        raw = torch.from_numpy(ids_BW)
        domain = torch.from_numpy(domain_B)
        return TextBatch(raw[:, :-1].contiguous(), raw[:, 1:].contiguous(), None, domain)

    @property
    def floor(self) -> float:
        """The smallest possible loss, in nats per token."""
        return self.world.floor(self.length + 1)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the world's first sequences and the shape of a batch."""
        ids, domain = self.world.draw(64, self.length + 1, np.random.default_rng(0))
        shape = [type(self.world).__name__, self.length, self.batch_size, self.floor]
        text = json.dumps(shape).encode()
        return hashlib.sha256(text + ids.tobytes() + domain.tobytes()).hexdigest()

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the numbers in `domain_B`."""
        return self.world.domains

    @property
    def tokens_per_batch(self) -> int:
        """Tokens B x L that the model reads from one batch."""
        return self.batch_size * self.length


class DrawnBatches:
    """Numbered batches, each drawn from its own generator.

    Args:
        data: draws the batches.
        words: first words of each generator's seed; the batch's number follows.
        count: number of batches; None: endless, and each pass continues where the last stopped.
    """

    def __init__(self, data: Synthetic, words: tuple[int, ...], count: int | None) -> None:
        self._data = data
        self._words = words
        self._count = count
        self._position = 0

    def __len__(self) -> int:
        return ENDLESS if self._count is None else self._count

    def __iter__(self) -> Iterator[TextBatch]:
        if self._count is not None:
            for number in range(self._count):
                yield self._draw(number)
            return
        while True:
            # Counted before the batch is yielded: a state saved while it is in use is past it.
            self._position += 1
            yield self._draw(self._position - 1)

    def state_dict(self) -> dict[str, int]:
        """Return how many batches have been yielded."""
        return {"position": self._position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Continue after the number of batches in a state."""
        self._position = state_dict["position"]

    def _draw(self, number: int) -> TextBatch:
        return self._data.batch(np.random.default_rng([*self._words, number]))
