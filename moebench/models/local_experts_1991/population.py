"""Many copies of one system, trained side by side until each meets the criterion.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3: batch gradient descent with a fixed step
and no momentum, one update an epoch, 25 runs a system, each until the average squared error on the
training set is 0.08.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from moebench.cost import Cost
from moebench.models.local_experts_1991.backprop import BackProp
from moebench.models.local_experts_1991.mixture import Mixture
from moebench.models.local_experts_1991.outcome import Outcome, by_seed
from moebench.models.local_experts_1991.system import (
    Cases,
    System,
    Weights,
    descend,
    mean_squared_error,
    prepare,
)

BLOCK = 32768  # numbers of a layer worked on at once; fits the cache, and one thread, of any machine


class Batch(Protocol):
    """What a population needs to know of a batch: the whole set at once."""

    x_TD: Tensor
    target_TC: Tensor


class Population(pl.LightningModule):
    """Trains `seeds` copies of a system with each step size, all at once.

    The first seed is the one that the generators were seeded with (`seed_everything`); the others
    follow it. A copy with one seed starts from the same weights whatever its step size. A copy that
    has ended leaves the batch; what becomes of one does not depend on the others, to the last bit.
    The arithmetic is done on the CPU in float64, wherever the trainer is.

    Args:
        system: what is trained.
        step_sizes: factors on the gradient of the mean error.
        initial_range: starting weights are drawn evenly from minus to plus this.
        seeds: copies for each step size.
        criterion: a copy has arrived when its mean squared error on the training set is no larger.
        max_epochs: updates after which a copy is stopped anyway.
        epochs_per_step: updates in one training step of Lightning, which costs what 50 small
            updates do.

    Raises:
        ValueError: if a number is out of range, or a step size is missing or given twice.
    """

    def __init__(
        self,
        system: Mixture | BackProp | System,
        step_sizes: Sequence[float],
        initial_range: float = 0.5,
        seeds: int = 25,
        criterion: float = 0.08,
        max_epochs: int = 15000,
        epochs_per_step: int = 50,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.system = system
        self.step_sizes = [float(size) for size in step_sizes]
        self.initial_range = initial_range
        self.seeds = seeds
        self.criterion = criterion
        self.max_epochs = max_epochs
        self.epochs_per_step = epochs_per_step
        self.first_seed = torch.initial_seed()
        self._check()
        copies = len(self.step_sizes) * seeds
        self.weights: Weights = {}  # of all copies; step size by step size, seed by seed
        self.epochs_S = torch.zeros(copies, dtype=torch.int64)  # updates made
        self.running_S = torch.ones(copies, dtype=torch.bool)

    def _check(self) -> None:
        """Refuse numbers that cannot work."""
        names = [f"{size:g}" for size in self.step_sizes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"step_sizes={names}: at least one, and none twice")
        positive = {"criterion": self.criterion, "initial_range": self.initial_range}
        for name, number in {**positive, "step_sizes": min(self.step_sizes)}.items():
            if not number > 0:
                raise ValueError(f"{name}={number:g}: must be positive")
        whole = ("seeds", "max_epochs", "epochs_per_step")
        for name in whole:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")

    @property
    def step_S(self) -> Tensor:
        """The step size of each copy."""
        return torch.tensor(self.step_sizes, dtype=torch.float64).repeat_interleave(self.seeds)

    def get_extra_state(self) -> dict[str, Any]:
        """Return all that training changes, for the checkpoint."""
        return {"weights": self.weights, "epochs": self.epochs_S, "running": self.running_S}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.weights = state["weights"]
        self.epochs_S, self.running_S = state["epochs"], state["running"]

    def setup(self, stage: str) -> None:
        """Look at the data, and draw the starting weights that fit it."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        self.train_cases = whole_set(next(iter(data.train_dataloader())))
        self.test_cases = whole_set(next(iter(data.val_dataloader())))
        if not self.weights:
            seeds = range(self.first_seed, self.first_seed + self.seeds)
            features, outputs = len(self.train_cases.x_DT) - 1, len(self.train_cases.target_CT)
            first = self.system.init(seeds, self.initial_range, features, outputs)
            for name, weight in first.items():
                self.weights[name] = weight.repeat(
                    len(self.step_sizes), *[1] * (weight.dim() - 1)
                )

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return an optimiser that finds no gradient to follow: Lightning counts its steps."""
        return torch.optim.SGD(self.weights.values(), lr=1.0)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Train every copy for some epochs; return the share of copies that goes on.

        The number returned is always finite: a copy that diverges must not end the others.
        """
        self.optimizers().step(lambda: self._train(whole_set(batch)))  # type: ignore[union-attr]
        if not self.running_S.any():
            self.trainer.should_stop = True
        return self.running_S.double().mean()

    @torch.no_grad()
    def _train(self, cases: Cases) -> None:
        """Train the copies that still run, block by block."""
        for index_L in self._blocks(self.running_S.nonzero()[:, 0], cases):
            self._train_block(index_L, cases)

    def _blocks(self, index_S: Tensor, cases: Cases) -> Iterator[Tensor]:
        """Yield the copies in groups small enough to stay in the cache."""
        numbers = self.system.units(len(cases.target_CT)) * cases.x_DT.shape[1]
        return iter(index_S.split(max(1, BLOCK // numbers)))

    def _train_block(self, index_L: Tensor, cases: Cases) -> None:
        """Train some copies, all after the same number of epochs, for `epochs_per_step` more."""
        weights = {name: weight[index_L] for name, weight in self.weights.items()}
        step_L = self.step_S[index_L]
        start = int(self.epochs_S[index_L[0]])
        for epoch in range(start, start + self.epochs_per_step):
            answer = self.system.forward(weights, cases.x_DT)
            # Written so that an error that is not a number ends the copy too.
            going_L = mean_squared_error(answer.blend_SCT, cases) > self.criterion
            if epoch == self.max_epochs:
                going_L = torch.zeros_like(going_L)
            if not going_L.all():
                self._store(index_L, weights, epoch)
                self.running_S[index_L[~going_L]] = False
                index_L, step_L = index_L[going_L], step_L[going_L]
                weights = {name: weight[going_L] for name, weight in weights.items()}
                if len(index_L) == 0:
                    return
                answer = self.system.forward(weights, cases.x_DT)
            descend(weights, self.system.gradient(weights, answer, cases), step_L)
        self._store(index_L, weights, start + self.epochs_per_step)

    def _store(self, index_L: Tensor, weights: Weights, epochs: int) -> None:
        """Write down how far some copies have come."""
        for name, weight in weights.items():
            self.weights[name][index_L] = weight
        self.epochs_S[index_L] = epochs

    @torch.no_grad()
    def answers(self, cases: Cases) -> Iterator[tuple[Tensor, Any]]:
        """Yield the copies in groups: their numbers, and what they answer."""
        for index_L in self._blocks(torch.arange(len(self.running_S)), cases):
            weights = {name: weight[index_L] for name, weight in self.weights.items()}
            yield index_L, self.system.forward(weights, cases.x_DT)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean squared error on the test set and the share of copies that still trains."""
        cases = whole_set(batch)
        errors = [mean_squared_error(a.blend_SCT, cases) for _, a in self.answers(cases)]
        error_S = torch.cat(errors).nan_to_num(nan=1.0)
        values = {"valid/loss": error_S.mean(), "valid/running": self.running_S.double().mean()}
        self.log_dict(values, batch_size=len(cases.share_T), logger=False)

    def cost(self, batch: Batch) -> Cost:
        """Return what one copy costs; every weight meets every case."""
        features, outputs = batch.x_TD.shape[1], batch.target_TC.shape[1]
        weights = self.system.parameters(features, outputs)
        return Cost(weights, weights, float(self.system.flops(features, outputs)))

    def outcomes(self) -> list[Outcome]:
        """Return what became of each seed."""
        return by_seed(self)


def whole_set(batch: Batch) -> Cases:
    """Lay a batch out for training."""
    return prepare(batch.x_TD.cpu(), batch.target_TC.cpu())
