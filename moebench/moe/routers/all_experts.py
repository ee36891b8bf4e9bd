"""Soft mixing: every expert sees every token, weighted by a softmax gate.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, "Adaptive mixtures of local experts", section 1.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


class AllExperts(nn.Module):
    """Router that sends each token to all experts; A = T x E assignments.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.
    """

    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        expert_TE = torch.arange(self.num_experts, device=x_TD.device).expand_as(probs_TE)
        return tokens_choose(logits_TE, probs_TE, expert_TE, weight_TK=probs_TE)
