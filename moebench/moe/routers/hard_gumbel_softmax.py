"""Straight-through Gumbel-softmax: one sampled expert forward, soft weights backward.

Source: Jang, Gu and Poole 2017 (arXiv 1611.01144), section 2.2.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.gumbel_softmax import Gumbel
from moebench.moe.routers.score import Score
from moebench.moe.routers.straight_through import check_answering, choose_through
from moebench.moe.sees import Sees


class HardGumbelSoftmax(nn.Module):
    """Router that draws one expert by a Gumbel-softmax, with its soft weights in the gradient.

    The expert is an exact sample of the softmax at a temperature of 1, whatever the temperature is;
    that changes the gradient alone. Outside training there is no noise: the most probable expert
    answers. `answering` and its cost are as in `StraightThrough`.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        temperature: as in `GumbelSoftmax`.
        lowest: as in `GumbelSoftmax`.
        rate: as in `GumbelSoftmax`.
        answering: number of experts that answer each token in training, the drawn one first.

    Raises:
        ValueError: as `GumbelSoftmax`, and unless 1 <= answering <= num_experts.
    """

    sees = Sees.TOKEN

    def __init__(
        self,
        dim: int,
        num_experts: int,
        temperature: float = 1.0,
        lowest: float = 0.5,
        rate: float = 1e-4,
        answering: int = 1,
    ) -> None:
        super().__init__()
        check_answering(answering, num_experts)
        self.num_experts = num_experts
        self.answering = answering
        self.score = Score(dim, num_experts)
        self.gumbel = Gumbel(temperature, lowest, rate)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        soft_TE = self.gumbel(logits_TE) if self.training else logits_TE.softmax(dim=-1)
        best_T1 = soft_TE.argmax(dim=-1, keepdim=True)
        return choose_through(logits_TE, soft_TE, best_T1, self.answering if self.training else 1)

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        """Count an optimiser step, whatever its decisions were."""
        self.gumbel.step.add_(1)
