"""The paper's baseline: a network with one hidden layer, trained by back-propagation.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3, Table 1 (6 and 12 hidden units);
Rumelhart, Hinton and Williams 1986, "Learning internal representations by error propagation"
(logistic units, half the squared error).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.system import (
    Cases,
    Weights,
    linear,
    linear_gradient,
    logistic_gradient,
    over_outputs,
    uniform,
)


class Layers(NamedTuple):
    """A network's output and its hidden layer."""

    hidden_SHT: Tensor
    blend_SCT: Tensor


class BackProp:
    """One hidden layer of logistic units, logistic outputs, half the squared error.

    With the half, its gradient equals that of a mixture with a single expert under the likelihood
    error, so that a step size means the same for both.

    Args:
        hidden: number H of hidden units.

    Raises:
        ValueError: if there is not at least one.
    """

    def __init__(self, hidden: int) -> None:
        if hidden < 1:
            raise ValueError(f"hidden={hidden}: a network needs at least 1 hidden unit")
        self.hidden = hidden

    def init(
        self, seeds: Sequence[int], initial_range: float, features: int, outputs: int
    ) -> Weights:
        """Return hidden_SHD and output_SCH, both uniform; the last column is for the constant."""
        sizes = [self.hidden * (features + 1), outputs * (self.hidden + 1)]
        hidden_SN, output_SN = uniform(seeds, initial_range, sum(sizes)).split(sizes, dim=1)
        return {
            "hidden": hidden_SN.unflatten(1, (self.hidden, -1)).clone(),
            "output": output_SN.unflatten(1, (outputs, -1)).clone(),
        }

    def forward(self, weights: Weights, x_DT: Tensor) -> Layers:
        """Return the outputs."""
        hidden_SHT = linear(weights["hidden"], x_DT).sigmoid_()
        weight_SCH, constant_SC1 = weights["output"].split([self.hidden, 1], dim=-1)
        return Layers(hidden_SHT, torch.baddbmm(constant_SC1, weight_SCH, hidden_SHT).sigmoid_())

    def gradient(self, weights: Weights, answer: Layers, cases: Cases) -> Weights:
        """Return the gradient of half the squared error, summed over outputs, mean over cases."""
        hidden_SHT, blend_SCT = answer
        missed_SCT = (blend_SCT - cases.target_CT).mul_(cases.share_T)
        to_logit_SCT = logistic_gradient(missed_SCT, blend_SCT)
        to_output_SCH = linear_gradient(to_logit_SCT, hidden_SHT[:, None])
        to_constant_SC1 = to_logit_SCT.sum(dim=-1, keepdim=True)
        weight_SCH = weights["output"][..., : self.hidden]
        back_SHT = over_outputs(weight_SCH.mT[..., None] * to_logit_SCT[:, None])
        return {
            "hidden": linear_gradient(logistic_gradient(back_SHT, hidden_SHT), cases.x_DT),
            "output": torch.cat([to_output_SCH, to_constant_SC1], dim=-1),
        }

    def units(self, outputs: int) -> int:
        """Return the width of the widest layer."""
        return self.hidden * outputs

    def parameters(self, features: int, outputs: int) -> int:
        """Return the number of weights, including those of the constant."""
        return self.hidden * (features + 1) + outputs * (self.hidden + 1)

    def flops(self, features: int, outputs: int) -> int:
        """Return the FLOPs of multiplying one case with the weights.

        A hidden unit multiplies its constant with the input 1; an output only adds it.
        """
        return 2 * self.hidden * (features + 1 + outputs)

    def usage(self, answer: Layers, share_T: Tensor) -> dict[str, Tensor]:
        """Return nothing: there is no gate."""
        return {}
