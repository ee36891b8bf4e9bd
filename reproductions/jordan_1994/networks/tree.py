"""A hierarchical mixture of experts: linear experts below a binary tree of linear gates.

Every gate sends a case left with a probability that is logistic in the inputs. The probability of
an expert is the product of those on its path to the root. A gate is on the path of half of the
experts below it when it points left, and of the other half when it points right; all paths are
written as two matrices of zeros and ones, so no computation has to walk the tree.

Dimensions: S trees side by side, E experts, G gates, C outputs, T cases, D inputs with the
constant 1. Inputs are x_DT, the same for all trees, or x_SDT, those of each tree; targets likewise.

Source: Jordan and Jacobs 1994, "Hierarchical mixtures of experts and the EM algorithm", Neural
Computation 6, 181-214, the sections on the architecture and on the probability model.
"""

from collections.abc import Sequence
from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from reproductions.jacobs_1991.networks.system import uniform


class Hierarchy(NamedTuple):
    """Everything that a tree learns."""

    expert_SECD: Tensor  # the linear map of each expert
    gate_SGD: Tensor  # the score of going left
    log_variance_SE: Tensor  # of each expert's Gaussian, which is isotropic


class Explanation(NamedTuple):
    """Which experts a tree holds responsible for its targets."""

    log_likelihood_ST: Tensor
    posterior_SET: Tensor  # share of each expert, given input and target
    left_SGT: Tensor  # share of the experts to the left of each gate
    right_SGT: Tensor
    miss_SECT: Tensor  # target minus each expert's prediction


class Tree:
    """The shape of the tree: E = 2 ** depth experts, E - 1 gates, the root first, level by level.

    A tree of depth 0 is a single expert: linear regression. At depth 1 it is the flat mixture of
    two experts of 1991, whose softmax of two scores is logistic in their difference.

    Args:
        depth: number of gates between the root and each expert.

    Raises:
        ValueError: if it is negative.
    """

    def __init__(self, depth: int) -> None:
        if depth < 0:
            raise ValueError(f"depth={depth}: must not be negative")
        self.num_experts = 2**depth
        self.num_gates = self.num_experts - 1
        shape = (self.num_gates, self.num_experts)
        self.left_GE = torch.zeros(shape, dtype=torch.float64)
        self.right_GE = torch.zeros(shape, dtype=torch.float64)
        for gate in range(self.num_gates):
            level = (gate + 1).bit_length() - 1
            half = self.num_experts >> (level + 1)
            start = (gate + 1 - 2**level) * 2 * half
            self.left_GE[gate, start : start + half] = 1
            self.right_GE[gate, start + half : start + 2 * half] = 1

    def init(
        self, seeds: Sequence[int], initial_range: float, features: int, outputs: int
    ) -> Hierarchy:
        """Return one tree per seed, with uniform experts and gates and unit variances."""
        columns = features + 1
        sizes = [self.num_experts * outputs * columns, self.num_gates * columns]
        expert_SN, gate_SN = uniform(seeds, initial_range, sum(sizes)).split(sizes, dim=1)
        return Hierarchy(
            expert_SN.unflatten(1, (self.num_experts, outputs, columns)).clone(),
            gate_SN.unflatten(1, (self.num_gates, columns)).clone(),
            torch.zeros(len(seeds), self.num_experts, dtype=torch.float64),
        )

    def log_prior(self, weights: Hierarchy, x: Tensor) -> Tensor:
        """Return the log probability of each expert given the inputs, prior_SET."""
        score_SGT = weights.gate_SGD @ x
        prior_SET: Tensor = self.left_GE.T @ logsigmoid(score_SGT)
        return prior_SET + self.right_GE.T @ logsigmoid(-score_SGT)

    def predict(self, weights: Hierarchy, x: Tensor) -> Tensor:
        """Return the prediction y_SCT: those of the experts, weighted by their probabilities."""
        prior_SET = self.log_prior(weights, x).exp_()
        return (prior_SET[:, :, None] * answers(weights, x)).sum(dim=1)

    def explain(self, weights: Hierarchy, x: Tensor, target: Tensor) -> Explanation:
        """Return the log likelihood and the posterior of experts and branches."""
        miss_SECT = target.unsqueeze(-3) - answers(weights, x)
        outputs = miss_SECT.shape[2]
        spread_SE1 = weights.log_variance_SE[:, :, None]
        squared_SET = miss_SECT.square().sum(dim=2)
        density_SET = squared_SET * (-spread_SE1).exp() + outputs * (spread_SE1 + log(2 * pi))
        joint_SET = self.log_prior(weights, x) - density_SET / 2
        posterior_SET = joint_SET.softmax(dim=1)
        return Explanation(
            joint_SET.logsumexp(dim=1),
            posterior_SET,
            self.left_GE @ posterior_SET,
            self.right_GE @ posterior_SET,
            miss_SECT,
        )

    def gradient(self, weights: Hierarchy, x: Tensor, target: Tensor) -> Hierarchy:
        """Return the gradient of the mean negative log likelihood."""
        found = self.explain(weights, x, target)
        number = x.shape[-1]
        mass_SGT = found.left_SGT + found.right_SGT
        pull_SGT = found.left_SGT - (weights.gate_SGD @ x).sigmoid() * mass_SGT
        precision_SE1 = (-weights.log_variance_SE[:, :, None]).exp()
        weight_SET = found.posterior_SET * precision_SE1
        pull_SECT = found.miss_SECT * weight_SET[:, :, None]
        squared_SET = found.miss_SECT.square().sum(dim=2)
        excess_SET = squared_SET * weight_SET - found.miss_SECT.shape[2] * found.posterior_SET
        expert_SUD = pull_SECT.flatten(1, 2) @ x.mT
        return Hierarchy(
            expert_SUD.view_as(weights.expert_SECD) / -number,
            pull_SGT @ x.mT / -number,
            excess_SET.sum(dim=-1) / (-2 * number),
        )


def answers(weights: Hierarchy, x: Tensor) -> Tensor:
    """Return the prediction of each expert, mean_SECT."""
    expert_SECD = weights.expert_SECD
    mean_SECT: Tensor = (expert_SECD.flatten(1, 2) @ x).unflatten(1, expert_SECD.shape[1:3])
    return mean_SECT
