"""Top-k routing by sigmoids, with a factor that affects the choice but not the weights.

Source: Wang et al. 2024 (arXiv 2408.15664), section 4.3, "multiplicative biases", and Table 4.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score, uncast
from moebench.moe.routers.sigmoid_top_k import TINY
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class ScaledTopK(nn.Module):
    """Router that keeps the k experts with the largest product of sigmoid and bias.

    It is `SigmoidTopK` with a product in place of the sum, so the biases start at one. The weights
    are the sigmoids, divided by their sum if `normalised`; `probs_TE` are all sigmoids, normalised
    to sum to one. The bias is part of the state and has no gradient; `BiasBalanced` updates it. It
    sees the token alone, and costs one product of T x E numbers more than the scores.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.
        normalised: whether the weights are divided by their sum.

    Raises:
        ValueError: unless 1 <= k <= num_experts.
    """

    bias_E: Tensor
    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int, k: int = 2, normalised: bool = True) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts, self.k, self.normalised = num_experts, k, normalised
        self.score = Score(dim, num_experts)
        self.register_buffer("bias_E", torch.ones(num_experts))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        sigmoid_TE = logits_TE.sigmoid()
        expert_TK = (sigmoid_TE.detach() * self.bias_E).topk(self.k, dim=-1).indices
        weight_TK = sigmoid_TE.gather(1, expert_TK)
        if self.normalised:
            weight_TK = weight_TK / (weight_TK.sum(dim=-1, keepdim=True) + TINY)
        probs_TE = sigmoid_TE / (sigmoid_TE.sum(dim=-1, keepdim=True) + TINY)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or cast the parts, but keep the bias in float32 or wider."""
        bias_E = self.bias_E
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.bias_E = uncast(self.bias_E, bias_E)
        return self
