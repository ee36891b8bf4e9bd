"""The paper's baseline: a network with one hidden layer, trained by back-propagation.

Hidden units are hyperbolic tangents and outputs are linear, both our choice: tanh is centred on
zero, which avoids the initial bias of logistic units, and accelerations are unbounded.

Dimensions: S networks side by side, H hidden units, C outputs, T cases, D inputs with a constant 1.

Source: Jordan and Jacobs 1994, Neural Computation 6, 181-214, Tables 1 and 2 (60 hidden units);
Rumelhart, Hinton and Williams 1986, "Learning internal representations by error propagation".
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.system import uniform


class Layers(NamedTuple):
    """Everything that a network learns."""

    hidden_SHD: Tensor
    output_SCH: Tensor
    constant_SC1: Tensor


class Network:
    """One hidden layer; half the squared error, summed over the outputs.

    Args:
        hidden: number H of hidden units.

    Raises:
        ValueError: if there is not at least one.
    """

    def __init__(self, hidden: int = 60) -> None:
        if hidden < 1:
            raise ValueError(f"hidden={hidden}: a network needs at least 1 hidden unit")
        self.hidden = hidden

    def init(self, seeds: Sequence[int], features: int, outputs: int) -> Layers:
        """Return one network per seed, uniform up to 1 / sqrt(number of the unit's inputs)."""
        columns = features + 1
        sizes = [self.hidden * columns, outputs * self.hidden]
        hidden_SN, output_SN = uniform(seeds, 1.0, sum(sizes)).split(sizes, dim=1)
        return Layers(
            hidden_SN.reshape(-1, self.hidden, columns) / columns**0.5,
            output_SN.reshape(-1, outputs, self.hidden) / self.hidden**0.5,
            torch.zeros(len(seeds), outputs, 1, dtype=torch.float64),
        )

    def predict(self, weights: Layers, x: Tensor) -> Tensor:
        """Return y_SCT."""
        return weights.output_SCH @ _hidden(weights, x) + weights.constant_SC1

    def gradient(self, weights: Layers, x: Tensor, target: Tensor) -> Layers:
        """Return the gradient of half the squared error, averaged over the cases."""
        hidden_SHT = _hidden(weights, x)
        answer_SCT = weights.output_SCH @ hidden_SHT + weights.constant_SC1
        miss_SCT = (answer_SCT - target) / x.shape[-1]
        back_SHT = torch.ops.aten.tanh_backward(weights.output_SCH.mT @ miss_SCT, hidden_SHT)
        return Layers(back_SHT @ x.mT, miss_SCT @ hidden_SHT.mT, miss_SCT.sum(dim=-1, keepdim=True))


def _hidden(weights: Layers, x: Tensor) -> Tensor:
    """Return tanh of the weighted sums, hidden_SHT.

    Computed as 2 / (1 + exp(-2 u)) - 1, because torch's tanh is seven times slower in float64.
    """
    return (2 * weights.hidden_SHD @ x).sigmoid_().mul_(2).sub_(1)
