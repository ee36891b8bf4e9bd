"""Overflow rules: what happens to rows whose requested expert is full.

A rule is called `(decision, rows, group_A, order_A) -> RoutingDecision` with the result of
`capacity.limit` and the other arguments of that call. Its `sees` holds within a group and comes on
top of what the queues see.

Example:
    full = Capacity(factor=1.0, minimum=1)
    router = routers.Limited(64, lambda dim: routers.Switch(dim, 8), full, overflow.NextExpert)

Source: Fedus et al. 2021 (arXiv 2101.03961), section 2.2 (drop) and appendix B (next expert).
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import Sees


class Drop(nn.Module):
    """Drop them: the token passes through on the residual connection."""

    sees = Sees.TOKEN

    def forward(
        self,
        decision: RoutingDecision,
        rows: int,
        group_A: Tensor | None = None,
        order_A: Tensor | None = None,
    ) -> RoutingDecision:
        """Return the decision unchanged."""
        return decision


class NextExpert(nn.Module):
    """Send them to the token's next most probable expert that is free ("no token left behind").

    In each round a token without a place requests the most probable expert that it has not tried;
    rows that have a place never move. A moved row is weighted by the probability of its new expert.

    Args:
        rounds: how many other experts a token may try; None: all of them.
    """

    sees = Sees.SEQUENCE  # all first choices are served before any second one

    def __init__(self, rounds: int | None = None) -> None:
        super().__init__()
        if rounds is not None and rounds < 1:
            raise ValueError(f"rounds={rounds}: must be at least 1")
        self.rounds = rounds

    def forward(
        self,
        decision: RoutingDecision,
        rows: int,
        group_A: Tensor | None = None,
        order_A: Tensor | None = None,
    ) -> RoutingDecision:
        """Return the decision with overflowing rows moved, and `original_expert_A` as it was."""
        expert_A, kept_A = decision.expert_A.clone(), decision.kept_A.clone()
        offset_A = torch.zeros_like(expert_A) if group_A is None else group_A
        offset_A = offset_A * decision.num_experts
        tried_TE = torch.zeros_like(decision.probs_TE, dtype=torch.bool)
        tried_TE[decision.token_A, expert_A] = True
        for _ in range(self.rounds or decision.num_experts - 1):
            waiting_A = self._one_row_per_token(decision.token_A, ~kept_A, order_A)
            waiting_A &= ~tried_TE.all(dim=-1)[decision.token_A]
            if not waiting_A.any():
                break
            untried_TE = decision.probs_TE.detach().masked_fill(tried_TE, -1.0)
            next_A = untried_TE.argmax(dim=-1)[decision.token_A]
            tried_TE[decision.token_A[waiting_A], next_A[waiting_A]] = True
            queue_A = next_A + offset_A
            taken_A = (expert_A + offset_A)[kept_A]
            free = rows - taken_A.bincount(minlength=int(queue_A.max()) + 1)
            placed_A = waiting_A & (place_in_queue(queue_A, waiting_A, order_A) < free[queue_A])
            expert_A = torch.where(placed_A, next_A, expert_A)
            kept_A |= placed_A
        moved_A = expert_A != decision.expert_A
        weight_A = torch.where(
            moved_A, decision.probs_TE[decision.token_A, expert_A], decision.weight_A
        )
        return replace(
            decision,
            expert_A=expert_A,
            kept_A=kept_A,
            weight_A=weight_A,
            original_expert_A=decision.requested_A,
        )

    @staticmethod
    def _one_row_per_token(token_A: Tensor, left_A: Tensor, order_A: Tensor | None) -> Tensor:
        """Mark each token's first row without a place: two rows must not try the same expert."""
        return left_A & (place_in_queue(token_A, left_A, order_A) == 0)


OVERFLOW = {"drop": Drop, "next_expert": NextExpert}
