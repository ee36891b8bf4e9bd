"""Top-k routing, with the softmax after the choice or before it: two rules, two classes.

Source: after the choice: Shazeer et al. 2017 (arXiv 1701.06538), section 2.1, equations 3 and 5
without noise; Jiang et al. 2024, Mixtral (arXiv 2401.04088), section 2.1. Before the choice:
Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 2.
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


def check_k(k: int, num_experts: int) -> None:
    """Raise ValueError unless 1 <= k <= num_experts."""
    if not 1 <= k <= num_experts:
        raise ValueError(f"k={k}: must lie between 1 and num_experts={num_experts}")


class TopK(nn.Module):
    """Router that keeps the k best scores and takes the softmax over those alone.

    With k = 1 the weight is always one and the task loss cannot train the router; use `Switch` or
    `SoftmaxTopK` instead.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.
    """

    sees = Sees.TOKEN
    normalised = True  # whether the weights of a token sum to one

    def __init__(self, dim: int, num_experts: int, k: int = 2) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts = num_experts
        self.k = k
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        top_TK, expert_TK = logits_TE.topk(self.k, dim=-1)
        return tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, top_TK.softmax(-1))


class SoftmaxTopK(nn.Module):
    """Router that takes the softmax over all experts and keeps the k largest values as they are.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.
    """

    sees = Sees.TOKEN
    normalised = False  # whether the weights of a token sum to one

    def __init__(self, dim: int, num_experts: int, k: int = 2) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts = num_experts
        self.k = k
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        weight_TK, expert_TK = probs_TE.topk(self.k, dim=-1)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK)
