"""Top-k routing by a softmax, with a bias that affects the choice but not the weights.

Source: ERNIE team 2025, ERNIE 4.5 technical report, and the code released with it; the bias is that
of Wang et al. 2024 (arXiv 2408.15664), section 2, whose scores may be a softmax.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score, uncast
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class BiasedTopK(nn.Module):
    """Router that keeps the k experts with the largest sum of probability and bias.

    The weights are their probabilities, normalised to sum to one, so with a bias of zero it is
    `TopK`. The bias is part of the state and has no gradient.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.

    Raises:
        ValueError: unless 1 <= k <= num_experts.
    """

    bias_E: Tensor
    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int, k: int = 2) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts = num_experts
        self.k = k
        self.score = Score(dim, num_experts)
        self.register_buffer("bias_E", torch.zeros(num_experts))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        expert_TK = (probs_TE.detach() + self.bias_E).topk(self.k, dim=-1).indices
        weight_TK = logits_TE.gather(1, expert_TK).softmax(dim=-1)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or cast the parts, but keep the bias in float32 or wider."""
        bias_E = self.bias_E
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.bias_E = uncast(self.bias_E, bias_E)
        return self
