"""The load loss: it evens out a smooth estimate of the number of tokens per expert.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix A, equations 8 to 11; for two levels
appendix B, equation 14.
"""

import torch
from torch import Tensor, nn

from moebench.moe.contract import Total, one_device
from moebench.moe.decision import RoutingDecision
from moebench.moe.hierarchy import HierarchicalDecision
from moebench.moe.losses.variation import squared_variation
from moebench.moe.noise import NoisyDecision, others_kth_best

SMALLEST = 1e-6  # spread below which the gradient of the probability is NaN


def selection_probability(decision: NoisyDecision) -> Tensor:
    """Return P(x, i), (T, E): the probability that an expert is among the token's k.

    Its own noise is drawn anew; the noise of the other experts is held fixed.
    """
    ahead_TE = decision.clean_TE - others_kth_best(decision)
    selected_TE: Tensor = torch.special.ndtr(ahead_TE / decision.spread_TE.clamp_min(SMALLEST))
    return selected_TE


def expected_load(decision: RoutingDecision, total: Total = one_device) -> Tensor:
    """Return load_E, the smooth estimate of how many tokens each expert gets.

    With two levels it is load of the group x load within the group / tokens sent to the group.

    Args:
        decision: made with noise.
        total: sums loads over the decisions of several devices.

    Raises:
        ValueError: if the decision was made without noise.
    """
    if isinstance(decision, NoisyDecision):
        return total(selection_probability(decision).sum(dim=0))
    if isinstance(decision, HierarchicalDecision):
        group_load = expected_load(decision.primary, total).unbind()
        parts = [
            load * expected_load(inner, total) / _tokens(inner, total)
            for load, inner in zip(group_load, decision.secondary, strict=True)
        ]
        return torch.cat(parts)
    raise ValueError(
        f"losses.Load: needs a router with noise, NoisyTopK or a Hierarchical of NoisyTopK; "
        f"got a {type(decision).__name__}"
    )


def _tokens(decision: RoutingDecision, total: Total) -> int | Tensor:
    """Return the number of tokens, at least one."""
    if total is one_device:
        return max(1, decision.num_tokens)
    return total(decision.probs_TE.new_tensor(decision.num_tokens)).clamp(min=1)


class Load(nn.Module):
    """CV(load)^2 of the expected load, unweighted: zero when all expected loads are equal."""

    sums_over_devices = True

    def forward(self, decision: RoutingDecision, total: Total = one_device) -> Tensor:
        """Return the loss of one layer, a scalar; `total` sums over what else counts.

        Raises:
            ValueError: as `expected_load`.
        """
        return squared_variation(expected_load(decision, total))
