"""The on-line algorithm: recursive least squares, one case after the other.

Each expert regresses the target, and each gate the log odds of the posterior, on the inputs, as in
algorithm 2 of `reproductions.jordan_1994.networks.em`. A case is weighted by the responsibility of
the expert, or of the gate's subtree, for it, and its weight decays by lambda with each later case.

Dimensions: S trees side by side, E experts, G gates, U units of either kind, C outputs, D inputs
with the constant 1.

Source: Jordan and Jacobs 1994, the section on the on-line algorithm. From memory, without access to
the text: lambda starts at 0.99 and after every 1000 cases covers 0.6 of its distance to 1. Not from
the paper: the size of the initial inverse moments; variances as running means with the same lambda.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from reproductions.jordan_1994.networks.descent import Order
from reproductions.jordan_1994.networks.em import LEAST_VARIANCE, log_odds
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree

FIRST_LAMBDA = 0.99
CASES_PER_STEP, SHARE_PER_STEP = 1000, 0.6  # lambda's approach to 1
UNSURE = 1.0  # the initial inverse moments, in units of the identity
BEFORE = 1.0  # weight of the initial variances, in units of cases


class Recursive:
    """Trains S trees online, without a step size.

    Args:
        tree: their shape.
        weights: their initial weights.
        seeds: seeds for the order of the cases, one per tree.
    """

    def __init__(self, tree: Tree, weights: Hierarchy, seeds: Sequence[int]) -> None:
        self.tree = tree
        self.weights = weights
        self.order = Order(seeds)
        self.seen = 0
        width = weights.gate_SGD.shape[-1]
        eye_DD = UNSURE * torch.eye(width, dtype=torch.float64)
        self.expert_inverse_SEDD = eye_DD.repeat(len(seeds), tree.num_experts, 1, 1)
        self.gate_inverse_SGDD = eye_DD.repeat(len(seeds), tree.num_gates, 1, 1)
        self.mass_SE = torch.full_like(weights.log_variance_SE, BEFORE)

    @property
    def decay(self) -> float:
        """The current lambda."""
        steps: int = self.seen // CASES_PER_STEP
        return 1 - (1 - FIRST_LAMBDA) * (1 - SHARE_PER_STEP) ** steps

    def epoch(self, x_DT: Tensor, target_CT: Tensor) -> None:
        """Pass once through the cases."""
        x_SDT, target_SCT = self.order.shuffled(x_DT, target_CT)
        for x_SD1, target_SC1 in zip(x_SDT.split(1, -1), target_SCT.split(1, -1), strict=True):
            self._learn(x_SD1, target_SC1)
            self.seen += 1

    def predict(self, x_DT: Tensor) -> Tensor:
        """Return the predictions y_SCT."""
        return self.tree.predict(self.weights, x_DT)

    def _learn(self, x_SD1: Tensor, target_SC1: Tensor) -> None:
        """Learn from one case per tree."""
        weights, decay = self.weights, self.decay
        found = self.tree.explain(weights, x_SD1, target_SC1)
        posterior_SE, miss_SEC = found.posterior_SET[..., 0], found.miss_SECT[..., 0]
        mass_SG = (found.left_SGT + found.right_SGT)[..., 0]
        miss_SG1 = log_odds(found) - weights.gate_SGD @ x_SD1
        gain_SED = recurse(self.expert_inverse_SEDD, posterior_SE, x_SD1, decay)
        gain_SGD = recurse(self.gate_inverse_SGDD, mass_SG, x_SD1, decay)
        weights.expert_SECD.add_(miss_SEC[..., None] * gain_SED[:, :, None])
        weights.gate_SGD.add_(miss_SG1 * gain_SGD)

        squared_SE = miss_SEC.square().mean(dim=-1)
        before_SE = self.mass_SE * decay
        self.mass_SE = before_SE + posterior_SE
        total_SE = before_SE * weights.log_variance_SE.exp() + posterior_SE * squared_SE
        variance_SE = total_SE / self.mass_SE
        weights.log_variance_SE.copy_(variance_SE.clamp(min=LEAST_VARIANCE).log())


def recurse(inverse_SUDD: Tensor, weight_SU: Tensor, x_SD1: Tensor, decay: float) -> Tensor:
    """Update the inverse moments with a weighted case, in place; return the gain_SUD.

    The gain times a unit's error is the update of its weights. With k = inverse x it is
    h k / (lambda + h x.k), and the inverse becomes (inverse - gain k') / lambda.
    """
    k_SUD = (inverse_SUDD @ x_SD1[:, None])[..., 0]
    weight_SU1 = weight_SU[..., None]
    gain_SUD = weight_SU1 * k_SUD / (decay + weight_SU1 * (k_SUD @ x_SD1))
    inverse_SUDD.sub_(gain_SUD[..., None] * k_SUD[:, :, None]).div_(decay)
    return gain_SUD
