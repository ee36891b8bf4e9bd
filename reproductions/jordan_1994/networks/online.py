"""The on-line algorithm: recursive least squares, one case after the other.

Each expert regresses the target and each gate the log odds of the posterior on the inputs, as in
algorithm 2 of `reproductions.jordan_1994.networks.em`; a case counts as much as the tree holds the
expert, or the subtree of the gate, responsible for it. A case counts lambda ** n after n more.

Dimensions: S trees side by side, E experts, G gates, U units of either kind, C outputs, D inputs
with the constant 1.

Source: Jordan and Jacobs 1994, the section on the on-line algorithm. Recalled, as no copy was at
hand: lambda starts at 0.99 and every 1000 cases goes 0.6 of what is left of the way to 1. Not from
the paper: the size of the first inverse moments; variances as running means with the same lambda.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from reproductions.jordan_1994.networks.descent import Order
from reproductions.jordan_1994.networks.em import LEAST_VARIANCE, log_odds
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree

FIRST_LAMBDA = 0.99
CASES_PER_STEP, SHARE_PER_STEP = 1000, 0.6  # of the way of lambda to 1
UNSURE = 1.0  # the first inverse moments, in units of the identity
BEFORE = 1.0  # cases that the first variances count for


class Recursive:
    """Trains S trees on-line, without a step size.

    Args:
        tree: their shape.
        weights: where they start.
        seeds: of the order of the cases, one a tree.
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
        """Lambda now."""
        steps: int = self.seen // CASES_PER_STEP
        return 1 - (1 - FIRST_LAMBDA) * (1 - SHARE_PER_STEP) ** steps

    def epoch(self, x_DT: Tensor, target_CT: Tensor) -> None:
        """Pass once through the cases."""
        x_SDT, target_SCT = self.order.shuffled(x_DT, target_CT)
        for x_SD1, target_SC1 in zip(x_SDT.split(1, -1), target_SCT.split(1, -1), strict=True):
            self._learn(x_SD1, target_SC1)
            self.seen += 1

    def predict(self, x_DT: Tensor) -> Tensor:
        """Return the answers y_SCT."""
        return self.tree.predict(self.weights, x_DT)

    def _learn(self, x_SD1: Tensor, target_SC1: Tensor) -> None:
        """Take in one case of each tree."""
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
    """Take a weighted case into the inverse moments, in place; return the gain_SUD.

    A gain times what a unit misses is how its weights move. With k = inverse x it is
    h k / (lambda + h x.k), and the inverse becomes (inverse - gain k') / lambda.
    """
    k_SUD = (inverse_SUDD @ x_SD1[:, None])[..., 0]
    weight_SU1 = weight_SU[..., None]
    gain_SUD = weight_SU1 * k_SUD / (decay + weight_SU1 * (k_SUD @ x_SD1))
    inverse_SUDD.sub_(gain_SUD[..., None] * k_SUD[:, :, None]).div_(decay)
    return gain_SUD
