"""Trains the runs behind one row of the paper's Table 1 side by side, under Lightning.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3 and Table 1 (25 runs a system).
"""

from collections.abc import Sequence
from math import inf, nan
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from moebench.evidence.replicas import ReplicaResult
from moebench.training.cost import Cost
from reproductions.jacobs_1991.networks.backprop import BackProp
from reproductions.jacobs_1991.networks.mixture import Mixture
from reproductions.jacobs_1991.networks.replicas import Replicas, keep_freed_memory
from reproductions.jacobs_1991.networks.results import by_seed
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    accuracy,
    mean_squared_error,
    prepare,
)


class Batch(Protocol):
    """What training needs of a batch, which is the whole set at once."""

    x_TD: Tensor
    target_TC: Tensor


class ReplicaTraining(pl.LightningModule):
    """Trains replicas of a system side by side: `seeds` of them for each step size.

    The first seed is the one given to `seed_everything` before this object was created; the others
    follow it. Replicas with the same seed start from the same weights, whatever their step size.
    All arithmetic is done on the CPU in float64, wherever the trainer runs.

    Args:
        system: the system to train.
        step_sizes: factors on the gradient of the mean error.
        initial_range: initial weights are uniform between minus and plus this.
        seeds: number of replicas per step size.
        criterion: a replica is done when its mean squared error on the training set is at most
            this.
        max_epochs: number of updates after which a replica is stopped anyway.
        epochs_per_step: updates per Lightning training step, so that Lightning's own work hardly
            counts.

    Raises:
        ValueError: if a number is out of range, or step sizes are missing or repeated.
    """

    precision = "64-true"  # for the record; the trainer's precision is not used
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
            raise ValueError(f"step_sizes={list(step_sizes)}: needs one or more, without repeats")
        self.automatic_optimization = False
        self.system: System = system
        self.step_sizes = tuple(step_sizes)
        self.initial_range = initial_range
        self.seeds = range(torch.initial_seed(), torch.initial_seed() + seeds)
        self.epochs_per_step = epochs_per_step
        step_S = torch.tensor(self.step_sizes, dtype=torch.float64).repeat_interleave(seeds)
        self.replicas = Replicas(self.system, step_S, criterion, max_epochs)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the replicas' part of a checkpoint."""
        return self.replicas.state()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Resume from a checkpoint."""
        self.replicas.resume(state)

    def setup(self, stage: str) -> None:
        """Read the data, and draw initial weights of matching shapes."""
        keep_freed_memory()
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        self.train_cases = whole_set(next(iter(data.train_dataloader())))
        self.test_cases = whole_set(next(iter(data.val_dataloader())))
        if not self.replicas.weights:
            features, outputs = len(self.train_cases.x_DT) - 1, len(self.train_cases.target_CT)
            first = self.system.init(self.seeds, self.initial_range, features, outputs)
            times = len(self.step_sizes)
            self.replicas.weights = {
                name: torch.cat([weight] * times) for name, weight in first.items()
            }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return an optimiser that never sees a gradient; Lightning only counts its steps."""
        return torch.optim.SGD(self.replicas.weights.values(), lr=1.0)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Train every replica for some epochs; return the share still running.

        The returned number is always finite, so that one diverging replica does not stop the rest.
        """
        cases = whole_set(batch)
        self.optimizers().step(  # type: ignore[union-attr]
            lambda: self.replicas.train(cases, self.epochs_per_step)
        )
        if not self.replicas.running_S.any():
            self.trainer.should_stop = True
        return self.replicas.running_S.double().mean()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean squared error on the test set and the share of replicas still running."""
        cases = whole_set(batch)
        error_S = self.replicas.measure(
            cases, lambda answer: {"error": mean_squared_error(answer.blend_SCT, cases)}
        )["error"]
        values = {
            "valid/loss": error_S[error_S.isfinite()].mean(),
            "valid/running": self.replicas.running_S.double().mean(),
        }
        self.log_dict(values, batch_size=1, logger=False)

    def cost(self, batch: Batch) -> Cost:
        """Return the cost of one replica; every weight is used for every case."""
        features, outputs = batch.x_TD.shape[1], batch.target_TC.shape[1]
        weights = self.system.parameters(features, outputs)
        return Cost(weights, weights, float(self.system.flops(features, outputs)))

    def results(self) -> dict[str, Tensor]:
        """Return the results of each replica as columns of S numbers, named in networks/results.py.

        Replicas with the first step size come first, seed by seed.
        """
        train, test = self.train_cases, self.test_cases
        columns = self.replicas.measure(
            train,
            lambda answer: {
                "error/train": mean_squared_error(answer.blend_SCT, train),
                "accuracy/train": accuracy(answer.blend_SCT, train),
                **self.system.usage(answer, train.share_T),
            },
        ) | self.replicas.measure(
            test, lambda answer: {"accuracy/test": accuracy(answer.blend_SCT, test)}
        )
        finite_S = columns["error/train"].isfinite() & self.replicas.finite()
        reached_S = finite_S & (columns["error/train"] <= self.replicas.criterion)
        known = {name: column.masked_fill(~finite_S, nan) for name, column in columns.items()}
        return {
            "epochs": self.replicas.epochs_S.double(),
            "reached": reached_S.double(),
            "diverged": (~finite_S).double(),
            **known,
        }

    def replica_results(self) -> list[ReplicaResult]:
        """Return the result of each seed."""
        return by_seed(self.seeds, self.step_sizes, self.results())


def whole_set(batch: Batch) -> Cases:
    """Lay a batch out for training."""
    return prepare(batch.x_TD.cpu(), batch.target_TC.cpu())


def _positive(**numbers: float) -> None:
    """Refuse numbers that are not positive and finite."""
    for name, number in numbers.items():
        if not 0 < number < inf:
            raise ValueError(f"{name}={number:g}: must be a positive number")


def _at_least_one(**numbers: int) -> None:
    """Refuse counts below one."""
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name}={number}: must be at least 1")
