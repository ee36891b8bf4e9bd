"""Top-k routing within a few groups of experts, one group per device.

Source: DeepSeek-AI 2024, DeepSeek-V2 (arXiv 2405.04434), sections 2.2.1 and 2.2.2: equations 20 to
22 for the softmax before the choice, device-limited routing for the groups.
"""

import math

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class GroupLimited(nn.Module):
    """Router that keeps the k largest probabilities within a token's best groups.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.
        groups: number of groups of consecutive experts, all equally large.
        kept: groups a token may choose from: those with the largest single probability.
        factor: multiplies the weights, which are the probabilities themselves.

    Raises:
        ValueError: if `groups`, `kept` and `k` contradict one another, or the factor is
            not positive.
    """

    sees = Sees.TOKEN

    def __init__(
        self,
        dim: int,
        num_experts: int,
        k: int = 1,
        groups: int = 1,
        kept: int = 1,
        factor: float = 1.0,
    ) -> None:
        super().__init__()
        check_groups(num_experts, k, groups, kept)
        check_factor(factor)
        self.num_experts, self.k = num_experts, k
        self.groups, self.kept, self.factor = groups, kept, factor
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        best_TG = probs_TE.unflatten(-1, (self.groups, -1)).amax(dim=-1)
        allowed_TE = in_best_groups(best_TG, self.kept, self.num_experts)
        weight_TK, expert_TK = probs_TE.masked_fill(~allowed_TE, -1.0).topk(self.k, dim=-1)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK * self.factor)


def check_groups(num_experts: int, k: int, groups: int, kept: int) -> None:
    """Raise ValueError unless `kept` of the equally large groups hold at least k experts."""
    check_k(k, num_experts)
    if groups < 1 or num_experts % groups:
        raise ValueError(f"groups={groups}: must divide num_experts={num_experts}")
    if not 1 <= kept <= groups:
        raise ValueError(f"kept={kept}: must lie between 1 and groups={groups}")
    if k > kept * (num_experts // groups):
        raise ValueError(f"k={k}: the {kept} kept groups have fewer experts")


def check_factor(factor: float) -> None:
    """Raise ValueError for a factor on the weights that no model can learn with."""
    if not 0 < factor < math.inf:
        raise ValueError(f"factor={factor}: must be above 0 and finite")


def in_best_groups(score_TG: Tensor, kept: int, num_experts: int) -> Tensor:
    """Return allowed_TE: whether an expert is in one of a token's `kept` best groups."""
    if kept == score_TG.shape[1]:
        return score_TG.new_ones(score_TG.shape[0], num_experts).bool()
    best_TG = score_TG.topk(kept, dim=-1, sorted=False).indices
    allowed_TG = score_TG.new_zeros(score_TG.shape).scatter_(1, best_TG, 1.0).bool()
    return allowed_TG.repeat_interleave(num_experts // score_TG.shape[1], dim=1)
