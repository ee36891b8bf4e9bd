"""The importance loss: experts should carry equal weight in the answers.

Source: Shazeer et al. 2017 (arXiv 1701.06538), section 4, equations 6 and 7; for two levels
appendix B, equation 13.
"""

from torch import Tensor, nn

from moebench.moe.contract import Total, one_device
from moebench.moe.decision import RoutingDecision
from moebench.moe.losses.variation import squared_variation


def importance(decision: RoutingDecision) -> Tensor:
    """Return importance_E, the weights of each expert summed over the batch."""
    zero_E = decision.weight_A.new_zeros(decision.num_experts)
    return zero_E.index_add(0, decision.requested_A, decision.weight_A)


class Importance(nn.Module):
    """CV(importance)^2, unweighted: zero when all experts are equally important.

    With a hierarchical router the weights are products of both gates, so this is the importance of
    the paper's appendix B without further work.
    """

    sums_over_devices = True

    def forward(self, decision: RoutingDecision, total: Total = one_device) -> Tensor:
        """Return the loss of one layer, a scalar; `total` sums over what else counts."""
        return squared_variation(total(importance(decision)))
