"""The device-level balance loss: devices share the work evenly, whatever their experts do inside.

Source: Dai et al. 2024, DeepSeekMoE (arXiv 2401.06066), section 3.3, equations 15 to 17.
"""

from torch import Tensor, nn

from moebench.moe.contract import Total, one_device
from moebench.moe.decision import RoutingDecision


class DeviceBalance(nn.Module):
    """sum_i f'_i * P'_i over D groups of experts, unweighted: one when routing is uniform.

    The E experts form D groups of E / D consecutive ones, one group per device. With the f_i and
    P_i of the expert-level loss (equations 12 to 14, which are `LoadBalance`: N * share of the
    requests, and mean probability), f'_i is the mean of f over the group and carries no gradient;
    P'_i is the sum of P over it. Imbalance inside a group leaves it unchanged. It counts requests,
    before capacity drops any, over the batch; it costs one product of D numbers.

    Args:
        groups: number D of groups, which must divide the experts.

    Raises:
        ValueError: for fewer than one group; when called, if they do not divide the experts.
    """

    sums_over_devices = True

    def __init__(self, groups: int) -> None:
        super().__init__()
        if groups < 1:
            raise ValueError(f"groups={groups}: must be at least 1")
        self.groups = groups

    def forward(self, decision: RoutingDecision, total: Total = one_device) -> Tensor:
        """Return the loss of one layer, a scalar of the type of `decision.probs_TE`.

        Args:
            decision: of one layer.
            total: sums counts and probabilities over what else counts, before their product.
        """
        num = decision.num_experts
        if num % self.groups:
            raise ValueError(f"groups={self.groups}: must divide num_experts={num}")
        prob_E = decision.probs_TE.sum(dim=0)
        count_E = decision.requested_A.bincount(minlength=num).to(prob_E.dtype)
        count_E, prob_E = total(count_E), total(prob_E)
        tokens = prob_E.detach().sum().clamp(min=1)  # each token's probabilities sum to one
        f_G = (num * count_E / count_E.sum().clamp(min=1)).unflatten(0, (self.groups, -1)).mean(-1)
        prob_G = (prob_E / tokens).unflatten(0, (self.groups, -1)).sum(-1)
        loss: Tensor = (f_G * prob_G).sum()
        return loss
