"""Expert choice: each expert takes the tokens that it scores highest, in training and outside it.

Source: Zhou et al. 2022 (arXiv 2202.09368), section 3, equation 1 and what follows it; that it
leaks: Wang et al. 2024 (arXiv 2408.15664), section 5.2 and appendix D.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import Score
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class ExpertChoice(nn.Module):
    """Router whose experts each take their most probable tokens of every group, k S / E of S.

    So all experts have equally many tokens, and a token has k on average: more, fewer or none. The
    probabilities are softmaxes over the experts, and the weights are those of the choices, as they
    are. It costs what `SoftmaxTopK` does, but for the choice, which is one of S log S among tokens.

    It compares a token with later ones, which do not exist yet when a causal model generates text.
    Such a model is refused unless `allow_leaks` asks for it: its losses, in validation too, may be
    lower than any that a model can reach, see docs/leaks.md. In an encoder nothing leaks.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: mean number of experts per token.
        group: tokens S that an expert chooses from; None: all tokens of a batch. With the length of
            a sequence (`data.length`) or a divisor of it, no sequence affects another.
        allow_leaks: whether a causal model may have it.

    Raises:
        ValueError: unless 1 <= k <= num_experts, and for a group of no tokens.
    """

    def __init__(
        self,
        dim: int,
        num_experts: int,
        k: int = 2,
        group: int | None = None,
        allow_leaks: bool = False,
    ) -> None:
        super().__init__()
        check_k(k, num_experts)
        if group is not None and group < 1:
            raise ValueError(f"group={group}: must be at least 1 token")
        self.num_experts, self.k, self.group = num_experts, k, group
        self.allow_leaks = allow_leaks
        self.score = Score(dim, num_experts)

    def rows(self, size: int) -> int:
        """Return how many of `size` tokens an expert takes: k / E of them, rounded down, or one."""
        return min(size, max(1, self.k * size // self.num_experts))

    def sees(self, length: int | None, training: bool) -> Sees:
        """Return what the tokens of a group are; none, where every expert takes them all."""
        if self.k == self.num_experts or self.group == 1:
            return Sees.TOKEN
        within = length and self.group and length % self.group == 0
        return Sees.SEQUENCE if within else Sees.BATCH

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD: the first choice of every expert, then the second ones.

        Raises:
            ValueError: if the tokens do not divide into groups.
        """
        size = self.group or len(x_TD)
        if size and len(x_TD) % size:
            raise ValueError(f"group={size}: does not divide {len(x_TD)} tokens")
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        groups = len(x_TD) // size if size else 1
        prob_GSE = probs_TE.detach().view(groups, size, self.num_experts)
        place_GRE = prob_GSE.topk(self.rows(size), dim=1).indices
        start_G = size * torch.arange(groups, device=x_TD.device)
        token_RGE = (place_GRE + start_G[:, None, None]).transpose(0, 1)
        token_A = token_RGE.flatten()
        expert_A = torch.arange(self.num_experts, device=x_TD.device).expand_as(token_RGE).flatten()
        return RoutingDecision(
            logits_TE=logits_TE,
            probs_TE=probs_TE,
            token_A=token_A,
            expert_A=expert_A,
            weight_A=probs_TE[token_A, expert_A],
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
        )
