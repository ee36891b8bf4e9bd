"""Top-k routing by sigmoids, with a bias that affects the choice but not the weights.

Source: DeepSeek-AI 2024, DeepSeek-V3 (arXiv 2412.19437), section 2.1.2, equations 12 to 16, and
node-limited routing; the bias is that of Wang et al. 2024 (arXiv 2408.15664), section 2.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.group_limited import check_factor, check_groups, in_best_groups
from moebench.moe.routers.score import Score, uncast
from moebench.moe.sees import Sees

TINY = 1e-20  # added to divisors


class SigmoidTopK(nn.Module):
    """Router that keeps the k experts with the largest sum of sigmoid and bias.

    The weights are their sigmoids; `probs_TE` are all sigmoids, normalised to sum to one. The bias
    is part of the state and has no gradient.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.
        groups: number of groups of consecutive experts, all equally large.
        kept: groups a token may choose from: those whose two best have the largest sum.
        factor: multiplies the weights.
        normalised: whether the weights are divided by their sum first.

    Raises:
        ValueError: if `groups`, `kept` and `k` contradict one another, or the factor is
            not positive.
    """

    bias_E: Tensor
    sees = Sees.TOKEN

    def __init__(
        self,
        dim: int,
        num_experts: int,
        k: int = 1,
        groups: int = 1,
        kept: int = 1,
        factor: float = 1.0,
        normalised: bool = True,
    ) -> None:
        super().__init__()
        check_groups(num_experts, k, groups, kept)
        check_factor(factor)
        self.num_experts, self.k = num_experts, k
        self.groups, self.kept, self.factor = groups, kept, factor
        self.normalised = normalised
        self.score = Score(dim, num_experts)
        self.register_buffer("bias_E", torch.zeros(num_experts))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        sigmoid_TE = logits_TE.sigmoid()
        expert_TK = self._choose(sigmoid_TE.detach() + self.bias_E)
        weight_TK = sigmoid_TE.gather(1, expert_TK)
        if self.normalised:
            weight_TK = weight_TK / (weight_TK.sum(dim=-1, keepdim=True) + TINY)
        probs_TE = sigmoid_TE / (sigmoid_TE.sum(dim=-1, keepdim=True) + TINY)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK * self.factor)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or cast the parts, but keep the bias in float32 or wider."""
        bias_E = self.bias_E
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.bias_E = uncast(self.bias_E, bias_E)
        return self

    def _choose(self, biased_TE: Tensor) -> Tensor:
        """Return the best experts within the best groups, best first."""
        biased_TGN = biased_TE.unflatten(-1, (self.groups, -1))
        group_TG = biased_TGN.topk(min(2, biased_TGN.shape[-1]), dim=-1).values.sum(dim=-1)
        allowed_TE = in_best_groups(group_TG, self.kept, self.num_experts)
        return biased_TE.masked_fill(~allowed_TE, -torch.inf).topk(self.k, dim=-1).indices
