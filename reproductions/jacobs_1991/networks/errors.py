"""The three errors that the paper compares, and their gradients.

An error is one number per case. It depends on the experts' outputs and on the gate, so its gradient
has two parts: by each expert's output, and by each expert's score before the softmax. They are
written out because that is several times faster than autograd in every epoch.

Dimensions: S systems side by side, E experts, C outputs, T cases.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, "Adaptive mixtures of local experts", equations
1.1 to 1.3 and the derivatives below them.
"""

from typing import NamedTuple, Protocol

from torch import Tensor

from reproductions.jacobs_1991.networks.system import over_outputs


class Mixed(NamedTuple):
    """A mixture's output and its parts."""

    output_SECT: Tensor  # each expert's output
    score_SET: Tensor  # the gate before its softmax
    gate_SET: Tensor  # the gate: each expert's share, summing to one
    blend_SCT: Tensor  # the sum of share x output


def mix(output_SECT: Tensor, score_SET: Tensor) -> Mixed:
    """Return the experts' outputs, blended in the proportions given by the gate's scores."""
    gate_SET = score_SET.softmax(dim=1)
    blend_SCT = (gate_SET[:, :, None] * output_SECT).sum(dim=1)
    return Mixed(output_SECT, score_SET, gate_SET, blend_SCT)


class Error(Protocol):
    """The error to minimise."""

    def value(self, mixed: Mixed, target_CT: Tensor) -> Tensor:
        """Return the error of each case, value_ST."""
        ...

    def gradients(self, mixed: Mixed, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients by output_SECT and by score_SET."""
        ...


class Cooperative:
    """The squared error of the blend (1.1): every expert is moved by their joint error."""

    def value(self, mixed: Mixed, target_CT: Tensor) -> Tensor:
        """Return |y - d|^2, with y the blend and d the target."""
        return (mixed.blend_SCT - target_CT).square().sum(dim=1)

    def gradients(self, mixed: Mixed, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        """Return 2 g_k (y - d) and 2 g_k (y - d).(o_k - y)."""
        output_SECT, _, gate_SET, blend_SCT = mixed
        missed_SCT = 2 * (blend_SCT - target_CT)
        to_output_SECT = gate_SET[:, :, None] * missed_SCT[:, None]
        apart_SECT = output_SECT - blend_SCT[:, None]
        return to_output_SECT, over_outputs(to_output_SECT * apart_SECT)


class Competitive:
    """The squared errors of the experts, weighted by the gate (1.2)."""

    def value(self, mixed: Mixed, target_CT: Tensor) -> Tensor:
        """Return sum_k g_k |o_k - d|^2."""
        squared_SET = over_outputs((mixed.output_SECT - target_CT).square())
        return (mixed.gate_SET * squared_SET).sum(dim=1)

    def gradients(self, mixed: Mixed, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        """Return 2 g_k (o_k - d) and g_k (E_k - sum_j g_j E_j), with E_k = |o_k - d|^2.

        An expert is moved only by its own error; the experts compete through the gate.
        """
        output_SECT, _, gate_SET, _ = mixed
        miss_SECT = output_SECT - target_CT
        weighted_SET = gate_SET * over_outputs(miss_SECT.square())
        to_score_SET = weighted_SET - gate_SET * weighted_SET.sum(dim=1, keepdim=True)
        return miss_SECT.mul_(gate_SET[:, :, None]).mul_(2), to_score_SET


class Likelihood:
    """The negative log likelihood of the target under a mixture of unit Gaussians (1.3).

    Each expert's output is the mean of one Gaussian; the constant factor of the density is left
    out, as in the paper.
    """

    def value(self, mixed: Mixed, target_CT: Tensor) -> Tensor:
        """Return -log sum_k g_k exp(-|o_k - d|^2 / 2)."""
        squared_SET = over_outputs((mixed.output_SECT - target_CT).square())
        joint_SET = mixed.score_SET - squared_SET / 2
        return mixed.score_SET.logsumexp(dim=1) - joint_SET.logsumexp(dim=1)

    def gradients(self, mixed: Mixed, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        """Return h_k (o_k - d) and g_k - h_k, with h_k the share of expert k given the target."""
        output_SECT, score_SET, gate_SET, _ = mixed
        miss_SECT = output_SECT - target_CT
        joint_SET = score_SET.add(over_outputs(miss_SECT.square()), alpha=-0.5)
        posterior_SET = joint_SET.softmax(dim=1)
        return miss_SECT.mul_(posterior_SET[:, :, None]), gate_SET - posterior_SET


ERRORS = {"cooperative": Cooperative, "competitive": Competitive, "likelihood": Likelihood}
