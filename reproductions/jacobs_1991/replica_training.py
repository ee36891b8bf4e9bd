"""The population of runs that one line of the paper's Table 1 is, as Lightning trains it.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3 and Table 1 (25 runs a system).
"""

from collections.abc import Sequence
from math import inf, nan
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from moebench.evidence.replicas import Outcome
from moebench.training.cost import Cost
from reproductions.jacobs_1991.networks.backprop import BackProp
from reproductions.jacobs_1991.networks.copies import Copies, keep_freed_memory
from reproductions.jacobs_1991.networks.mixture import Mixture
from reproductions.jacobs_1991.networks.outcome import by_seed
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    accuracy,
    mean_squared_error,
    prepare,
)


class Batch(Protocol):
    """What a population needs to know of a batch: the whole set at once."""

    x_TD: Tensor
    target_TC: Tensor


class Population(pl.LightningModule):
    """Trains copies of a system side by side: `seeds` of them with each step size.

    The first seed is the one that the generators were seeded with when this object was made, that
    is, `seed_everything`; the others follow it. Copies with one seed start from the same weights
    whatever their step size. The arithmetic is done on the CPU in float64, wherever the trainer is.

    Args:
        system: what is trained.
        step_sizes: factors on the gradient of the mean error.
        initial_range: starting weights are drawn evenly from minus to plus this.
        seeds: copies for each step size.
        criterion: a copy has arrived when its mean squared error on the training set is no larger.
        max_epochs: updates after which a copy is stopped anyway.
        epochs_per_step: updates in one training step of Lightning, whose own work is then small
            beside them.

    Raises:
        ValueError: if a number is out of range, or a step size is missing or given twice.
    """

    precision = "64-true"  # for the record: that of the trainer is not used
    train_cases: Cases
    test_cases: Cases

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
        for size in step_sizes:
            _positive(step_sizes=size)
        _positive(initial_range=initial_range, criterion=criterion)
        _at_least_one(seeds=seeds, max_epochs=max_epochs, epochs_per_step=epochs_per_step)
        if len({f"{size:g}" for size in step_sizes}) < max(1, len(step_sizes)):
            raise ValueError(f"step_sizes={list(step_sizes)}: at least one, and none twice")
        self.automatic_optimization = False
        self.system: System = system
        self.step_sizes = tuple(step_sizes)
        self.initial_range = initial_range
        self.seeds = range(torch.initial_seed(), torch.initial_seed() + seeds)
        self.epochs_per_step = epochs_per_step
        step_S = torch.tensor(self.step_sizes, dtype=torch.float64).repeat_interleave(seeds)
        self.copies = Copies(self.system, step_S, criterion, max_epochs)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the part of a checkpoint that is not of Lightning."""
        return self.copies.state()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.copies.resume(state)

    def setup(self, stage: str) -> None:
        """Look at the data, and draw the starting weights that fit it."""
        keep_freed_memory()
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        self.train_cases = whole_set(next(iter(data.train_dataloader())))
        self.test_cases = whole_set(next(iter(data.val_dataloader())))
        if not self.copies.weights:
            features, outputs = len(self.train_cases.x_DT) - 1, len(self.train_cases.target_CT)
            first = self.system.init(self.seeds, self.initial_range, features, outputs)
            times = len(self.step_sizes)
            self.copies.weights = {
                name: torch.cat([weight] * times) for name, weight in first.items()
            }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return an optimiser that never finds a gradient: Lightning counts its steps."""
        return torch.optim.SGD(self.copies.weights.values(), lr=1.0)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Train every copy for some epochs; return the share of copies that goes on.

        The number returned is always finite: a copy that diverges must not end the others.
        """
        cases = whole_set(batch)
        self.optimizers().step(  # type: ignore[union-attr]
            lambda: self.copies.train(cases, self.epochs_per_step)
        )
        if not self.copies.running_S.any():
            self.trainer.should_stop = True
        return self.copies.running_S.double().mean()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean squared error on the test set and the share of copies that still trains."""
        cases = whole_set(batch)
        error_S = self.copies.measure(
            cases, lambda answer: {"error": mean_squared_error(answer.blend_SCT, cases)}
        )["error"]
        values = {
            "valid/loss": error_S[error_S.isfinite()].mean(),
            "valid/running": self.copies.running_S.double().mean(),
        }
        self.log_dict(values, batch_size=1, logger=False)

    def cost(self, batch: Batch) -> Cost:
        """Return what one copy costs; every weight meets every case."""
        features, outputs = batch.x_TD.shape[1], batch.target_TC.shape[1]
        weights = self.system.parameters(features, outputs)
        return Cost(weights, weights, float(self.system.flops(features, outputs)))

    def results(self) -> dict[str, Tensor]:
        """Return what became of each copy, columns of S numbers; outcome.py names them.

        The copies with the first step size come first, seed by seed.
        """
        train, test = self.train_cases, self.test_cases
        columns = self.copies.measure(
            train,
            lambda answer: {
                "error/train": mean_squared_error(answer.blend_SCT, train),
                "accuracy/train": accuracy(answer.blend_SCT, train),
                **self.system.usage(answer, train.share_T),
            },
        ) | self.copies.measure(
            test, lambda answer: {"accuracy/test": accuracy(answer.blend_SCT, test)}
        )
        finite_S = columns["error/train"].isfinite() & self.copies.finite()
        reached_S = finite_S & (columns["error/train"] <= self.copies.criterion)
        known = {name: column.masked_fill(~finite_S, nan) for name, column in columns.items()}
        return {
            "epochs": self.copies.epochs_S.double(),
            "reached": reached_S.double(),
            "diverged": (~finite_S).double(),
            **known,
        }

    def outcomes(self) -> list[Outcome]:
        """Return what became of each seed."""
        return by_seed(self.seeds, self.step_sizes, self.results())


def whole_set(batch: Batch) -> Cases:
    """Lay a batch out for training."""
    return prepare(batch.x_TD.cpu(), batch.target_TC.cpu())


def _positive(**numbers: float) -> None:
    """Refuse zero, negative numbers, and what is no finite number."""
    for name, number in numbers.items():
        if not 0 < number < inf:
            raise ValueError(f"{name}={number:g}: must be a positive number")


def _at_least_one(**numbers: int) -> None:
    """Refuse counts below one."""
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name}={number}: must be at least 1")
