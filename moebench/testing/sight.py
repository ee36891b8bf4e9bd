"""Finds out which tokens a router looks at, by changing some and comparing its decisions."""

from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import Sees
from moebench.testing.tokens import D

SEQUENCES, LENGTH, DRAWS = 3, 8, 20
ROUNDING = 1e-5


def measured(decide: Callable[[Tensor], RoutingDecision], draws: int = DRAWS) -> Sees:
    """Return which tokens can change the decision about another token.

    Every draw picks a position in a sequence and redraws, in turn, the tokens before it, those
    after it, and the other sequences. A decision is a token's experts, their weights, whether they
    are kept, and the token's scores and probabilities.

    Args:
        decide: the router, reseeded at each call; gets x_TD, `SEQUENCES` sequences of `LENGTH`
            tokens end to end.
        draws: number of tries.
    """
    generator = torch.Generator().manual_seed(0)
    found = Sees.TOKEN
    for _ in range(draws):
        # A direction shared by all tokens makes some experts popular, so their queues overflow.
        common = 2 * torch.randn(2, SEQUENCES, 1, D, generator=generator)
        one_BLD, other_BLD = common + torch.randn(2, SEQUENCES, LENGTH, D, generator=generator)
        sequence = int(torch.randint(SEQUENCES, (), generator=generator))
        place = int(torch.randint(1, LENGTH - 1, (), generator=generator))
        before_TN = _table(decide(one_BLD.flatten(0, 1)))
        for kind, (changed_BL, watched_BL) in _changes(sequence, place).items():
            x_BLD = torch.where(changed_BL[..., None], other_BLD, one_BLD)
            after_TN = _table(decide(x_BLD.flatten(0, 1)))
            differs_T = ((after_TN - before_TN).abs() > ROUNDING).any(dim=-1)
            if (differs_T & watched_BL.flatten()).any():
                found |= kind
        if found == Sees.BATCH:
            break
    return found


def _changes(sequence: int, place: int) -> dict[Sees, tuple[Tensor, Tensor]]:
    """Return, for each kind of sight, which tokens change and which are watched."""
    own_B1 = torch.arange(SEQUENCES)[:, None] == sequence
    place_L = torch.arange(LENGTH)
    own_BL = own_B1.expand(SEQUENCES, LENGTH)
    return {
        Sees.CAUSAL: (own_B1 & (place_L < place), own_B1 & (place_L >= place)),
        Sees.LATER: (own_B1 & (place_L > place), own_B1 & (place_L <= place)),
        Sees.OTHERS: (~own_BL, own_BL),
    }


def _table(decision: RoutingDecision) -> Tensor:
    """Return everything that is decided, one row per token."""
    weight_TE = torch.full_like(decision.probs_TE, -1.0)
    weight_TE[decision.token_A, decision.expert_A] = decision.weight_A
    kept_TE = torch.zeros_like(decision.probs_TE)
    kept_TE[decision.token_A, decision.expert_A] = decision.kept_A.to(kept_TE.dtype)
    parts = (decision.logits_TE, decision.probs_TE, weight_TE, kept_TE)
    return torch.cat(parts, dim=-1).detach()
