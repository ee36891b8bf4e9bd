"""Routers of the arms that measure a leak: one that shuffles it away, one that leaks by design."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import Sees


class Shuffled(nn.Module):
    """Wrapper that routes the tokens of a batch in a random order.

    The groups of a router then have tokens of many sequences, and few that follow one another.

    Source: Wang et al. 2024 (arXiv 2408.15664), appendix D.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
    """

    sees = Sees.BATCH

    def __init__(self, dim: int, router: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, whose tokens have their own numbers again."""
        token_T = torch.randperm(len(x_TD), device=x_TD.device)
        decision = decide(self.router, x_TD[token_T])
        place_T = token_T.argsort()
        return replace(
            decision,
            logits_TE=decision.logits_TE[place_T],
            probs_TE=decision.probs_TE[place_T],
            token_A=token_T[decision.token_A],
        )


class NextToken(nn.Module):
    """Wrapper that sends every token where the next one belongs: a leak that is known in advance.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
    """

    sees = Sees.LATER | Sees.OTHERS  # the next token of the last one is that of another sequence
    allow_leaks = True

    def __init__(self, dim: int, router: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, one token later."""
        return decide(self.router, x_TD.roll(-1, dims=0))
