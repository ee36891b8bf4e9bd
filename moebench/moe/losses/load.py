"""The load loss: experts should get equal numbers of tokens, estimated smoothly.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix A, equations 8 to 11; for two levels
appendix B, equation 14.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.hierarchy import HierarchicalDecision
from moebench.moe.losses.variation import squared_variation
from moebench.moe.noise import NoisyDecision, others_kth_best

SMALLEST = 1e-6  # spread; below it the slope of the chance is no longer a number


def chance(decision: NoisyDecision) -> Tensor:
    """Return P(x, i), (T, E): the chance that an expert is among the token's k.

    Over a new draw of its own noise, that of the other experts being held.
    """
    ahead_TE = decision.clean_TE - others_kth_best(decision)
    chance_TE: Tensor = torch.special.ndtr(ahead_TE / decision.spread_TE.clamp_min(SMALLEST))
    return chance_TE


def expected_load(decision: RoutingDecision) -> Tensor:
    """Return load_E, the smooth estimate of how many tokens each expert gets.

    Of two levels it is load of the group x load within the group / tokens sent to the group.

    Raises:
        ValueError: if the decision was made without noise.
    """
    if isinstance(decision, NoisyDecision):
        return chance(decision).sum(dim=0)
    if isinstance(decision, HierarchicalDecision):
        group_load = expected_load(decision.primary).unbind()
        parts = [
            load * expected_load(inner) / max(1, inner.num_tokens)
            for load, inner in zip(group_load, decision.secondary, strict=True)
        ]
        return torch.cat(parts)
    raise ValueError(
        f"losses.Load: needs a router that draws noise, NoisyTopK or Hierarchical of it; "
        f"got a {type(decision).__name__}"
    )


class Load(nn.Module):
    """CV(load)^2 of the expected load, unweighted: zero when all experts expect alike."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar.

        Raises:
            ValueError: as `expected_load`.
        """
        return squared_variation(expected_load(decision))
