"""Many replicas of one system under plain gradient descent, each until it meets the criterion.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3: batch gradient descent with a fixed step
and no momentum, one update an epoch, until the average squared error on the training set is 0.08.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    Weights,
    descend,
    mean_squared_error,
)

BLOCK = 2**16  # numbers of a layer processed at once: half a megabyte, which fits into the cache


class Replicas:
    """Replicas of a system, each with its step size and its progress.

    A finished replica leaves the batch, so the last ones are cheap. The result of a replica does
    not depend on the others, bit for bit.

    Args:
        system: the system.
        step_S: the step size of each replica.
        criterion: a replica is done when its mean squared error is at most this.
        max_epochs: number of updates after which a replica is stopped anyway.
    """

    def __init__(self, system: System, step_S: Tensor, criterion: float, max_epochs: int) -> None:
        self.system = system
        self.step_S = step_S
        self.criterion = criterion
        self.max_epochs = max_epochs
        self.weights: Weights = {}
        self.epochs_S = torch.zeros(len(step_S), dtype=torch.int64)  # updates so far
        self.running_S = torch.ones(len(step_S), dtype=torch.bool)

    def state(self) -> dict[str, Any]:
        """Return everything that training changes."""
        return {"weights": self.weights, "epochs": self.epochs_S, "running": self.running_S}

    def resume(self, state: dict[str, Any]) -> None:
        """Resume from a state."""
        self.weights = state["weights"]
        self.epochs_S, self.running_S = state["epochs"], state["running"]

    def train(self, cases: Cases, epochs: int) -> None:
        """Train the replicas that are still running for some epochs."""
        with isolated():
            for index_L in self._blocks(self.running_S.nonzero()[:, 0], cases):
                self._train_block(index_L, cases, epochs)

    def measure(
        self, cases: Cases, measures: Callable[[Any], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Apply `measures` to the outputs of all replicas; return columns of S numbers."""
        parts = []
        with isolated():
            for index_L in self._blocks(torch.arange(len(self.step_S)), cases):
                parts.append(measures(self.system.forward(self._of(index_L), cases.x_DT)))
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def finite(self) -> Tensor:
        """Return finite_S, False for replicas with a weight that is no longer finite."""
        finite = [weight.isfinite().flatten(1).all(dim=1) for weight in self.weights.values()]
        return torch.stack(finite).all(dim=0)

    def _blocks(self, index_S: Tensor, cases: Cases) -> Iterator[Tensor]:
        """Yield the replicas in groups small enough to fit into the cache."""
        numbers = self.system.units(len(cases.target_CT)) * cases.x_DT.shape[1]
        return iter(index_S.split(max(1, BLOCK // numbers)))

    def _of(self, index_L: Tensor) -> Weights:
        """Return the weights of some replicas."""
        return {name: weight[index_L] for name, weight in self.weights.items()}

    def _train_block(self, index_L: Tensor, cases: Cases, epochs: int) -> None:
        """Train some replicas, all of which have had the same number of epochs."""
        weights, step_L = self._of(index_L), self.step_S[index_L]
        start = int(self.epochs_S[index_L[0]])
        for epoch in range(start, start + epochs):
            answer = self.system.forward(weights, cases.x_DT)
            # Written so that a NaN error also ends the replica.
            going_L = mean_squared_error(answer.blend_SCT, cases) > self.criterion
            if epoch == self.max_epochs:
                going_L = torch.zeros_like(going_L)
            if not going_L.all():
                self._store(index_L, weights, epoch)
                self.running_S[index_L[~going_L]] = False
                index_L, step_L = index_L[going_L], step_L[going_L]
                if len(index_L) == 0:
                    return
                weights = {name: weight[going_L] for name, weight in weights.items()}
                answer = self.system.forward(weights, cases.x_DT)
            descend(weights, self.system.gradient(weights, answer, cases), step_L)
        self._store(index_L, weights, start + epochs)

    def _store(self, index_L: Tensor, weights: Weights, epochs: int) -> None:
        """Store the weights and the progress of some replicas."""
        for name, weight in weights.items():
            self.weights[name][index_L] = weight
        self.epochs_S[index_L] = epochs


@contextmanager
def isolated() -> Iterator[None]:
    """Compute without autograd and on one thread.

    Several threads would split tensors at positions that depend on the number of replicas.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def keep_freed_memory() -> None:
    """Make the GNU C library keep freed memory for the next tensor.

    At first it returns blocks of more than 128 kB to the system at once, so each new tensor causes
    page faults that cost up to five times the arithmetic. It stops doing so for sizes that it has
    seen freed once.
    """
    torch.empty(2**21, dtype=torch.float64)
