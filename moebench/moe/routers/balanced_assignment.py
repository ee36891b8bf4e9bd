"""BASE routing: in training every expert gets the same number of tokens, by an assignment problem.

Source: Lewis et al. 2021, BASE layers (arXiv 2103.16716), sections 3.1 and 3.2; the auction is that
of Bertsekas 1992, "Auction algorithms for network flow problems", for objects of several copies.
"""

import warnings

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


def auction(score_TE: Tensor, rows: int, increment: float, rounds: int) -> tuple[Tensor, int]:
    """Return an expert for each token, none with more than `rows`, and how many tokens lacked one.

    Tokens without an expert bid for the one whose score exceeds its price most; an expert keeps its
    highest bids, and its price is the lowest of them once it is full. The sum of scores is within
    T x increment of the largest possible. Tokens that are left after the last round take the places
    that are left.

    Args:
        score_TE: what a token is worth to an expert.
        rows: places of an expert; all together must suffice.
        increment: by which a bid exceeds what would make the token indifferent.
        rounds: the most that are held.
    """
    num_tokens, num_experts = score_TE.shape
    expert_T = score_TE.new_full((num_tokens,), -1, dtype=torch.int64)
    bid_T, price_E = score_TE.new_zeros(num_tokens), score_TE.new_zeros(num_experts)
    for _ in range(rounds):
        waiting_W = (expert_T < 0).nonzero().squeeze(-1)
        if not len(waiting_W):
            break
        worth_W2, best_W2 = (score_TE[waiting_W] - price_E).topk(min(2, num_experts), dim=-1)
        expert_T[waiting_W] = best_W2[:, 0]
        bid_T[waiting_W] = price_E[best_W2[:, 0]] + worth_W2[:, 0] - worth_W2[:, -1] + increment
        for expert in best_W2[:, 0].unique().tolist():
            held_H = (expert_T == expert).nonzero().squeeze(-1)
            order_H = bid_T[held_H].argsort(descending=True, stable=True)
            expert_T[held_H[order_H[rows:]]] = -1
            if len(held_H) >= rows:
                price_E[expert] = bid_T[held_H[order_H[rows - 1]]]
    left_W = (expert_T < 0).nonzero().squeeze(-1)
    free_E = rows - expert_T[expert_T >= 0].bincount(minlength=num_experts)
    expert_T[left_W] = (
        torch.arange(num_experts).repeat_interleave(free_E.cpu())[: len(left_W)].to(expert_T)
    )
    return expert_T, len(left_W)


class BalancedAssignment(nn.Module):
    """Router that assigns, in training, T / E tokens to each expert (rounded up, at most).

    Of all such assignments it takes the one with the largest sum of scores, to within `precision`.
    The weight is the sigmoid of the score. Training sees the whole batch of a device, later tokens
    included; outside it each token takes its best expert alone. The auction costs up to `rounds`
    times the E scores of each token that is still without an expert; if that does not suffice, a
    warning says for how many tokens, and those get the places left.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        precision: what may be lost on a token, as a share of the difference between the highest
            and the lowest score.
        rounds: the most that an auction may take.

    Raises:
        ValueError: unless 0 < precision <= 1 and rounds >= 1.
    """

    k = 1  # experts each token is sent to

    def __init__(
        self, dim: int, num_experts: int, precision: float = 0.01, rounds: int = 1000
    ) -> None:
        super().__init__()
        if not 0 < precision <= 1:
            raise ValueError(f"precision={precision}: must be above 0 and at most 1")
        if rounds < 1:
            raise ValueError(f"rounds={rounds}: must be at least 1")
        self.num_experts = num_experts
        self.precision, self.rounds = precision, rounds
        self.score = Score(dim, num_experts)

    def sees(self, length: int | None, training: bool) -> Sees:
        """Return BATCH in training, whose tokens compete, and TOKEN outside it."""
        return Sees.BATCH if training else Sees.TOKEN

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        if self.training and logits_TE.numel():
            expert_T1 = self._assign(logits_TE.detach())[:, None]
        else:
            expert_T1 = logits_TE.argmax(dim=-1, keepdim=True)
        weight_T1 = logits_TE.gather(1, expert_T1).sigmoid()
        return tokens_choose(logits_TE, logits_TE.softmax(dim=-1), expert_T1, weight_T1)

    def _assign(self, score_TE: Tensor) -> Tensor:
        """Return the expert of each token; warn of an auction that was cut off."""
        rows = -(-len(score_TE) // self.num_experts)
        span = float(score_TE.max() - score_TE.min()) or 1.0
        expert_T, left = auction(score_TE, rows, self.precision * span, self.rounds)
        if left:
            warnings.warn(
                f"rounds={self.rounds}: too few to assign {left} of {len(score_TE)} tokens, which "
                "got the places left; raise rounds or precision",
                stacklevel=2,
            )
        return expert_T
