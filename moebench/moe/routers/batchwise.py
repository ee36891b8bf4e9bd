"""Strictly balanced gating: every expert takes the same number of tokens from each batch.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix F, equations 15 to 19.
"""

import torch
from torch import Tensor, nn

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import Score
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class Batchwise(nn.Module):
    """Router whose experts each choose, in training, their m = k * T / E most probable tokens.

    A token may thus get more or fewer than k experts, or none. The weights are the probabilities
    of the token's experts, normalised to sum to one: a softmax over their scores. Outside training,
    where there may be no batch to compare with, an expert takes every token whose probability
    exceeds its threshold; the thresholds are learnt from the loss `ThresholdGap` alone.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: mean number of experts per token.
    """

    def __init__(self, dim: int, num_experts: int, k: int = 2) -> None:
        super().__init__()
        check_k(k, num_experts)
        self.num_experts = num_experts
        self.k = k
        self.score = Score(dim, num_experts)
        self.threshold_E = nn.Parameter(torch.full((num_experts,), 1 / num_experts))

    def rows(self, num_tokens: int) -> int:
        """Return how many tokens m each expert takes from a batch, rounded down.

        Raises:
            ValueError: if there are fewer tokens than experts, which leaves experts fewer than k;
                a batch without tokens is allowed.
        """
        if 0 < num_tokens < self.num_experts:
            raise ValueError(
                f"tokens={num_tokens}: fewer than num_experts={self.num_experts}; a batch-wise "
                "gate needs at least as many, so that each expert gets k of them"
            )
        return self.k * num_tokens // self.num_experts

    def sees(self, length: int | None, training: bool) -> Sees:
        """Return BATCH in training, where experts compare all its tokens, and TOKEN outside it."""
        return Sees.BATCH if training else Sees.TOKEN

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `BalancedDecision`.

        Raises:
            ValueError: as `rows`, in training.
        """
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        threshold_E = self.threshold_E.to(probs_TE.dtype)
        if self.training:
            best_ME = probs_TE.detach().topk(self.rows(len(x_TD)), dim=0).indices
            taken_TE = torch.zeros_like(probs_TE, dtype=torch.bool).scatter_(0, best_ME, True)
        else:
            taken_TE = probs_TE > threshold_E
        # Not minus infinity, which would give NaN for a token that no expert takes.
        lowest = torch.finfo(logits_TE.dtype).min
        weight_TE = logits_TE.masked_fill(~taken_TE, lowest).softmax(dim=-1)
        token_A, expert_A = taken_TE.nonzero(as_tuple=True)
        return BalancedDecision(
            logits_TE=logits_TE,
            probs_TE=probs_TE,
            token_A=token_A,
            expert_A=expert_A,
            weight_A=weight_TE[token_A, expert_A],
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
            threshold_E=threshold_E,
        )
