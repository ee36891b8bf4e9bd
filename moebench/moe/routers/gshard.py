"""GShard's gate: two experts per token, the second one dispatched at random by its weight.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), section 2.2 and algorithm 1; `Limited` adds
its capacity, 2N / (GE) rows in each of G groups: `Capacity(factor=2.0, group=S)` with S = N / G.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


class GShard(nn.Module):
    """Router that takes the two best experts, and in training the second only by chance.

    The weights g1 and g2 are the two largest probabilities, normalised to sum to one; so g2 is at
    most 1/2, and min(1, 2 g2) is a probability. In training the second expert is dispatched with
    that probability. Without it the first keeps its weight g1, so a part of the answer is missing.
    Outside training, of which the paper says nothing, both experts are always dispatched: the same
    token then always gets the same answer.

    A second expert that was not drawn is no row of the decision, and uses no capacity. (Algorithm 1
    prints its counter as rising for it, too, which would leave places empty; the text of section
    2.2, which ignores such an expert "to conserve the overall expert capacity", would not.)

    It sees the token alone, and is causal; with a capacity, a token's second expert depends on the
    first choices of later tokens. Its cost is that of `TopK` with k = 2, and a random number a
    token; experts get 1 to 2 rows a token, 2 outside training.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.

    Raises:
        ValueError: for fewer than two experts.
    """

    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        if num_experts < 2:
            raise ValueError(f"num_experts={num_experts}: the gate needs at least 2 experts")
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD: all first choices, then the second ones."""
        logits_TE = self.score(x_TD)
        top_T2, expert_T2 = logits_TE.topk(2, dim=-1)
        weight_T2 = top_T2.softmax(dim=-1)
        both = tokens_choose(logits_TE, logits_TE.softmax(dim=-1), expert_T2, weight_T2)
        if not self.training:
            return both
        second_T = weight_T2[:, 1].detach()
        drawn_T = torch.rand_like(second_T) < 2 * second_T
        row_A = torch.cat([torch.ones_like(drawn_T), drawn_T]).nonzero().squeeze(-1)
        return replace(
            both,
            token_A=both.token_A[row_A],
            expert_A=both.expert_A[row_A],
            weight_A=both.weight_A[row_A],
            kept_A=both.kept_A[row_A],
        )
