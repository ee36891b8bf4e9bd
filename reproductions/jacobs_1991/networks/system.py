"""What all systems of the paper have in common, and the interface of each.

Many replicas of one system are trained side by side: every weight tensor has a leading dimension S.
Replica s of a result depends only on replica s of the weights, bit for bit, so it does not matter
which others are trained with it. That rules out two things: sums over the cases by a matrix
product, whose order of addition may depend on the memory layout, and tensors over the cases that do
not fill whole vector registers, because torch computes the remainder with different code.

Dimensions: S systems side by side, U units, C outputs, T cases, D inputs with the constant 1.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3 (plain gradient descent with a fixed
step, one update an epoch).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

Weights = dict[str, Tensor]

LANES = 16  # cases are padded to a multiple of two registers of eight numbers, torch's widest step


class Cases(NamedTuple):
    """The training cases of one epoch; padding has a share of zero."""

    x_DT: Tensor  # inputs, and a row of ones
    target_CT: Tensor
    share_T: Tensor  # weight of a case in the mean: one over the number of cases


def prepare(x_TD: Tensor, target_TC: Tensor) -> Cases:
    """Lay out cases for training: one row per input, then the constant 1, padded, in float64."""
    rows = torch.cat([x_TD, torch.ones_like(x_TD[:, :1])], dim=1).double()
    share_T = torch.full_like(rows[:, 0], 1 / len(rows))
    padding = (0, -len(rows) % LANES)
    parts = (rows.T, target_TC.T.double(), share_T)
    return Cases(*(pad(part, padding).contiguous() for part in parts))


class System(Protocol):
    """A network with many replicas that are trained side by side."""

    def init(
        self, seeds: Sequence[int], initial_range: float, features: int, outputs: int
    ) -> Weights:
        """Return initial weights, one replica per seed, each drawn from its own seed only."""
        ...

    def forward(self, weights: Weights, x_DT: Tensor) -> Any:
        """Return a named tuple with the output `blend_SCT` and whatever `gradient` needs."""
        ...

    def gradient(self, weights: Weights, answer: Any, cases: Cases) -> Weights:
        """Return the gradient of the mean error."""
        ...

    def units(self, outputs: int) -> int:
        """Return the number of values in the widest layer for one case."""
        ...

    def parameters(self, features: int, outputs: int) -> int:
        """Return the number of weights of one replica."""
        ...

    def flops(self, features: int, outputs: int) -> int:
        """Return the FLOPs of the matrix products of one forward pass of one case."""
        ...

    def usage(self, answer: Any, share_T: Tensor) -> dict[str, Tensor]:
        """Return further metrics for the records, one number per replica."""
        ...


def uniform(seeds: Sequence[int], initial_range: float, *shape: int) -> Tensor:
    """Return one tensor per seed, uniform between -initial_range and initial_range."""
    drawn = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        drawn.append(torch.rand(*shape, generator=generator, dtype=torch.float64))
    return (torch.stack(drawn) * 2 - 1) * initial_range


def linear(weight_SUD: Tensor, x_DT: Tensor) -> Tensor:
    """Return u_SUT, the weighted sums of the inputs."""
    return torch.bmm(weight_SUD, x_DT.expand(len(weight_SUD), -1, -1))


def over_outputs(values_SECT: Tensor) -> Tensor:
    """Return the sums over the outputs C; a single output is taken as it is."""
    return values_SECT[:, :, 0] if values_SECT.shape[2] == 1 else values_SECT.sum(dim=2)


def logistic_gradient(to_output: Tensor, output: Tensor) -> Tensor:
    """Return the gradient by the argument of a logistic function from that by its value."""
    gradient: Tensor = torch.ops.aten.sigmoid_backward(to_output, output)
    return gradient


def linear_gradient(to_u_SUT: Tensor, x_DT: Tensor) -> Tensor:
    """Return the gradient by weight_SUD from that by the weighted sums: `linear` backwards.

    The inputs may differ between replicas: x_S1DT.
    """
    return (to_u_SUT[:, :, None] * x_DT).sum(dim=-1)


def descend(weights: Weights, gradient: Weights, step_S: Tensor) -> None:
    """Move the weights against the gradient, in place."""
    for name, weight in weights.items():
        step = step_S.view(-1, *[1] * (weight.dim() - 1))
        # Product and difference are separate, because a fused operation may round only once.
        weight.sub_(gradient[name].mul_(step))


def mean_squared_error(blend_SCT: Tensor, cases: Cases) -> Tensor:
    """Return error_S: the mean over cases and outputs of the squared error."""
    squared_SCT = (blend_SCT - cases.target_CT).square_()
    return squared_SCT.mul_(cases.share_T).sum(dim=(1, 2)) / len(cases.target_CT)


def accuracy(blend_SCT: Tensor, cases: Cases) -> Tensor:
    """Return the share of correct cases, right_S.

    A single output is correct on the target's side of one half; of several, the largest counts.
    """
    if len(cases.target_CT) == 1:
        right_ST = (blend_SCT[:, 0] > 0.5) == (cases.target_CT[0] > 0.5)
    else:
        right_ST = blend_SCT.argmax(dim=1) == cases.target_CT.argmax(dim=0)
    number = (cases.share_T > 0).sum()
    return (right_ST & (cases.share_T > 0)).sum(dim=-1).double() / number
