"""A mixture of linear experts with a linear gate.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3: experts restricted to one linear
decision surface, a gate that starts at equal proportions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.errors import (
    Competitive,
    Cooperative,
    Error,
    Likelihood,
    Mixed,
    mix,
)
from reproductions.jacobs_1991.networks.system import (
    Cases,
    Weights,
    linear,
    linear_gradient,
    logistic_gradient,
    uniform,
)

ACTIVE = 0.05  # an expert is in use if its share of some case exceeds this


class Mixture:
    """Experts with logistic outputs under a softmax gate; all see the inputs and the constant 1.

    Args:
        experts: number E of experts.
        error: the error to minimise.

    Raises:
        ValueError: if there is not at least one expert.
    """

    def __init__(self, experts: int, error: Cooperative | Competitive | Likelihood | Error) -> None:
        if experts < 1:
            raise ValueError(f"experts={experts}: a mixture needs at least 1")
        self.experts = experts
        self.error = error

    def init(
        self, seeds: Sequence[int], initial_range: float, features: int, outputs: int
    ) -> Weights:
        """Return expert_SECD, which is uniform, and gate_SED, which is zero."""
        shape = (self.experts, outputs, features + 1)
        gate_SED = torch.zeros(len(seeds), self.experts, features + 1, dtype=torch.float64)
        return {"expert": uniform(seeds, initial_range, *shape), "gate": gate_SED}

    def forward(self, weights: Weights, x_DT: Tensor) -> Mixed:
        """Return the blended outputs."""
        expert_SECD = weights["expert"]
        output_SUT = linear(expert_SECD.flatten(1, 2), x_DT).sigmoid_()
        output_SECT = output_SUT.unflatten(1, expert_SECD.shape[1:3])
        return mix(output_SECT, linear(weights["gate"], x_DT))

    def gradient(self, weights: Weights, answer: Mixed, cases: Cases) -> Weights:
        """Return the gradient of the mean error over the cases."""
        to_output_SECT, to_score_SET = self.error.gradients(answer, cases.target_CT)
        to_logit_SECT = logistic_gradient(to_output_SECT, answer.output_SECT)
        shared_DT = cases.x_DT * cases.share_T
        expert_SUD = linear_gradient(to_logit_SECT.flatten(1, 2), shared_DT)
        return {
            "expert": expert_SUD.view_as(weights["expert"]),
            "gate": linear_gradient(to_score_SET, shared_DT),
        }

    def units(self, outputs: int) -> int:
        """Return the number of the experts' outputs."""
        return self.experts * outputs

    def parameters(self, features: int, outputs: int) -> int:
        """Return the number of weights of experts and gate, including those of the constant."""
        return self.experts * (outputs + 1) * (features + 1)

    def flops(self, features: int, outputs: int) -> int:
        """Return the FLOPs of multiplying one case with the weights."""
        return 2 * self.parameters(features, outputs)

    def usage(self, answer: Mixed, share_T: Tensor) -> dict[str, Tensor]:
        """Return `active`, the number of experts in use, and `effective`, the number per case.

        An expert is in use if its share of any case exceeds 0.05. The number per case is the
        exponential of the gate's entropy, averaged over the cases: 1 if one expert handles each
        case, E if all share every case equally.
        """
        present_SET = answer.gate_SET * (share_T > 0)
        return {
            "active": (present_SET.amax(dim=-1) > ACTIVE).sum(dim=-1).double(),
            "effective": (gate_entropy(answer.gate_SET).exp() * share_T).sum(dim=-1),
        }


def gate_entropy(gate_SET: Tensor) -> Tensor:
    """Return the entropy of the gate for each case, entropy_ST, in nats."""
    surprise_SET: Tensor = torch.special.entr(gate_SET)
    return surprise_SET.sum(dim=-2)
