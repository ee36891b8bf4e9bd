"""Routing that follows domains by a known share, for the positive control of the last question.

The text and the other rules are those of Mixtral's controls; one rule per layer of the models here.
"""

from functools import partial

import torch
from torch import Tensor

from reproductions.mixtral_2024.known_routing import by_domain, by_token, seen

LAYERS = 4
FOLLOW = 0.3  # share of the tokens whose domain decides; the others decide by themselves


def by_either(ids_BL: Tensor, domain_B: Tensor, chance: torch.Generator) -> Tensor:
    """Return first_BL that depend on the domain for some tokens, drawn at random."""
    follows_BL = torch.rand(ids_BL.shape, generator=chance) < FOLLOW
    answers = (by_domain(ids_BL, domain_B, chance), by_token(ids_BL, domain_B, chance))
    return torch.where(follows_BL, *answers)


token = partial(seen, (by_token,) * LAYERS)
domain = partial(seen, (by_either,) * LAYERS)
