"""Random routing: a control in which the choice carries no information.

Source: the random baseline of Roller et al. 2021 (arXiv 2106.04426), section 3.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import at_least_float32
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class Random(nn.Module):
    """Router that sends each token to k different experts drawn uniformly in each call.

    Args:
        dim: width D of a token; unused, but every router takes it.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to, each with weight 1 / k.
    """

    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int, k: int = 1) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts = num_experts
        self.k = k

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = at_least_float32(x_TD).new_zeros(x_TD.shape[0], self.num_experts)
        expert_TK = torch.rand_like(logits_TE).topk(self.k, dim=-1).indices
        weight_TK = torch.full_like(logits_TE[:, : self.k], 1 / self.k)
        return tokens_choose(logits_TE, logits_TE.softmax(dim=-1), expert_TK, weight_TK)
