"""Gradient descent for S systems side by side, in passes through the cases.

Dimensions: S systems, C outputs, T cases, D inputs with the constant 1.

Source: Rumelhart, Hinton and Williams 1986, "Learning internal representations by error
propagation" (momentum); Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1 (Adam).
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class System(Protocol):
    """A system trained by descent; weights are a named tuple of tensors, S first."""

    def predict(self, weights: Any, x: Tensor) -> Tensor:
        """Return y_SCT."""
        ...

    def gradient(self, weights: Any, x: Tensor, target: Tensor) -> Any:
        """Return the gradient of the mean loss, one tensor per weight tensor."""
        ...


class Rule(Protocol):
    """How weights are updated from their gradient."""

    def __call__(self, weights: Sequence[Tensor], gradient: Sequence[Tensor]) -> None:
        """Move the weights, in place."""
        ...


class Momentum:
    """A fixed step, plus a share of the previous update.

    Args:
        step_S: step size of each system.
        momentum: the share, from 0 up to 1.
    """

    def __init__(self, step_S: Tensor, momentum: float = 0.0) -> None:
        self.step_S = step_S
        self.momentum = momentum
        self.moves: list[Tensor] = []

    def __call__(self, weights: Sequence[Tensor], gradient: Sequence[Tensor]) -> None:
        """Move the weights, in place."""
        self.moves = self.moves or [torch.zeros_like(weight) for weight in weights]
        for weight, slope, move in zip(weights, gradient, self.moves, strict=True):
            move.mul_(self.momentum).sub_(slope * _like(self.step_S, slope))
            weight.add_(move)


class Adam:
    """Steps whose size does not depend on that of the gradient.

    Args:
        step_S: step size of each system.
        decays: decay rates of the running means of the gradient and of its square.
        epsilon: avoids division by zero.
    """

    def __init__(
        self,
        step_S: Tensor,
        decays: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        self.step_S = step_S
        self.decays = decays
        self.epsilon = epsilon
        self.steps = 0
        self.means: list[tuple[Tensor, Tensor]] = []

    def __call__(self, weights: Sequence[Tensor], gradient: Sequence[Tensor]) -> None:
        """Move the weights, in place."""
        self.means = self.means or [(torch.zeros_like(w), torch.zeros_like(w)) for w in weights]
        self.steps += 1
        first, second = (1 - decay**self.steps for decay in self.decays)
        for weight, slope, (mean, square) in zip(weights, gradient, self.means, strict=True):
            mean.lerp_(slope, 1 - self.decays[0])
            square.lerp_(slope.square(), 1 - self.decays[1])
            size = (square / second).sqrt_().add_(self.epsilon)
            weight.sub_(mean / first / size * _like(self.step_S, weight))


def _like(step_S: Tensor, tensor: Tensor) -> Tensor:
    """Return the steps in a shape that broadcasts over a weight tensor."""
    return step_S.view(-1, *[1] * (tensor.dim() - 1))


class Descent:
    """Trains S systems by descent.

    Args:
        system: the system to train.
        weights: its initial weights.
        rule: the update rule.
        seeds: seeds for the order of the cases, one per system.
        batch_size: cases per update; 1 is online learning, 0 takes all cases at once.

    Raises:
        ValueError: for a negative batch size.
    """

    def __init__(
        self, system: System, weights: Any, rule: Rule, seeds: Sequence[int], batch_size: int = 0
    ) -> None:
        if batch_size < 0:
            raise ValueError(f"batch_size={batch_size}: must not be negative; 0 takes all cases")
        self.system = system
        self.weights = weights
        self.rule = rule
        self.order = Order(seeds)
        self.batch_size = batch_size

    def epoch(self, x_DT: Tensor, target_CT: Tensor) -> None:
        """Pass once through the cases."""
        if not self.batch_size:
            self.rule(self.weights, self.system.gradient(self.weights, x_DT, target_CT))
            return
        x_SDT, target_SCT = self.order.shuffled(x_DT, target_CT)
        parts = zip(*(of.split(self.batch_size, -1) for of in (x_SDT, target_SCT)), strict=True)
        for x_SDN, target_SCN in parts:
            self.rule(self.weights, self.system.gradient(self.weights, x_SDN, target_SCN))

    def predict(self, x_DT: Tensor) -> Tensor:
        """Return the predictions y_SCT."""
        return self.system.predict(self.weights, x_DT)


class Order:
    """The order of the cases in online learning: a new one for each epoch and system.

    Args:
        seeds: one seed per system.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def shuffled(self, x_DT: Tensor, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cases in the order of each system, x_SDT and target_SCT."""
        number = x_DT.shape[1]
        orders = [torch.randperm(number, generator=generator) for generator in self.generators]
        x_SDT = torch.stack([x_DT[:, order_T] for order_T in orders])
        return x_SDT, torch.stack([target_CT[:, order_T] for order_T in orders])
