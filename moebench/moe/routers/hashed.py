"""Fixed routing by a hash of the token's vector: a control that cannot learn.

Source: cross-polytope hashing, Andoni et al. 2015 (arXiv 1509.02897), section 3; as a router it is
the control group of Roller et al. 2021 (arXiv 2106.04426), who hash the token's identity instead.
"""

import torch
from torch import Tensor, nn

from moebench.moe.autocast import without_autocast
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import at_least_float32
from moebench.moe.sees import Sees


def directions(dim: int, number: int, seed: int) -> Tensor:
    """Return this many fixed unit vectors, one a row.

    Raises:
        ValueError: for a seed that no generator takes.
    """
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed={seed}: must be a whole number of 64 bits")
    drawn = torch.randn(number, dim, generator=torch.Generator().manual_seed(seed))
    return nn.functional.normalize(drawn, dim=-1)


class Hashed(nn.Module):
    """Router that picks the expert whose fixed random direction is nearest to the token.

    Equal vectors always go to the same expert; nothing is learned and the weight is one.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        seed: seed of the directions, which do not depend on the seed of the run.
    """

    direction_ED: Tensor
    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(self, dim: int, num_experts: int, seed: int = 0) -> None:
        super().__init__()
        if num_experts < 1:
            raise ValueError(f"num_experts={num_experts}: a router needs at least 1 expert")
        self.num_experts = num_experts
        self.register_buffer("direction_ED", directions(dim, num_experts, seed))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        with torch.no_grad(), without_autocast(x_TD):
            x_TD = at_least_float32(x_TD)
            logits_TE = x_TD @ self.direction_ED.to(x_TD.dtype).T
            expert_T1 = logits_TE.argmax(dim=-1, keepdim=True)
            probs_TE = torch.zeros_like(logits_TE).scatter_(1, expert_T1, 1.0)
        return tokens_choose(logits_TE, probs_TE, expert_T1, torch.ones_like(logits_TE[:, :1]))
