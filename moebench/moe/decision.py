"""The one object that travels through a mixture-of-experts layer.

Shape suffixes, one alphabet everywhere: T tokens, E experts, K choices per token, D model width,
A assignments, one row for each (token, expert) pair that was requested.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RoutingDecision:
    """Which token goes to which expert, and with which weight.

    Token choice, expert choice, dense, hashed and capacity-limited routing all take this form.
    Rows come in order of priority: the first rows are the first to get capacity.

    Args:
        logits_TE: scores before normalisation, float32.
        probs_TE: scores after it, float32; each row sums to one.
        token_A: token of each row, int64 in [0, T).
        expert_A: expert of each row, int64 in [0, E).
        weight_A: factor on the expert's answer, float32, at least zero.
        kept_A: bool, False where the expert was full.
        original_expert_A: int64, the expert of each row before an overflow rule moved it; None if
            no row was moved.

    Example:
        y, decision = layer(torch.randn(10, 64))
        load_E = decision.requested_A.bincount(minlength=decision.num_experts)
    """

    logits_TE: Tensor
    probs_TE: Tensor
    token_A: Tensor
    expert_A: Tensor
    weight_A: Tensor
    kept_A: Tensor
    original_expert_A: Tensor | None = None

    @property
    def num_tokens(self) -> int:
        """Number of tokens T."""
        return self.logits_TE.shape[0]

    @property
    def num_experts(self) -> int:
        """Number of experts E."""
        return self.logits_TE.shape[1]

    @property
    def requested_A(self) -> Tensor:
        """The expert that each row requested, before capacity; losses and load metrics count it."""
        return self.expert_A if self.original_expert_A is None else self.original_expert_A


def tokens_choose(
    logits_TE: Tensor, probs_TE: Tensor, expert_TK: Tensor, weight_TK: Tensor
) -> RoutingDecision:
    """Return a token-choice decision; all first choices come before any second choice.

    Args:
        logits_TE: scores before normalisation.
        probs_TE: scores normalised over all experts, for the losses.
        expert_TK: the K experts of each token, best first.
        weight_TK: weight of each expert's answer.

    Example:
        probs_TE = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
        weight_TK, expert_TK = probs_TE.topk(1)
        decision = tokens_choose(probs_TE.log(), probs_TE, expert_TK, weight_TK)
    """
    num_tokens, k = expert_TK.shape
    token_A = torch.arange(num_tokens, device=expert_TK.device).repeat(k)
    return RoutingDecision(
        logits_TE=logits_TE,
        probs_TE=probs_TE,
        token_A=token_A,
        expert_A=expert_TK.T.flatten(),
        weight_A=weight_TK.T.flatten(),
        kept_A=torch.ones_like(token_A, dtype=torch.bool),
    )
