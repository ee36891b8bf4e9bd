"""The load-balancing loss of Switch: it pushes probability away from the busiest experts.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.2, equations 4 to 6.
"""

import torch
from torch import Tensor, nn

from moebench.moe.contract import Total, one_device
from moebench.moe.decision import RoutingDecision
from moebench.moe.metrics import load


class LoadBalance(nn.Module):
    """N * sum_i f_i * P_i over the N experts, unweighted: one when routing is uniform.

    f_i is expert i's share of requests, before capacity drops any, and carries no gradient; P_i is
    the mean probability of expert i over the tokens. With k = 1 this is the paper's loss; with more
    choices f counts all of them and still sums to one. The loss can fall below one, so uniform
    routing is not its minimum.
    """

    sums_over_devices = True

    def forward(self, decision: RoutingDecision, total: Total = one_device) -> Tensor:
        """Return the loss of one layer, a scalar of the type of `decision.probs_TE`.

        Args:
            decision: of one layer.
            total: sums counts and probabilities over what else counts, before their product.
        """
        if total is not one_device:
            return _of_sums(decision, total)
        load_E = load(decision).to(decision.probs_TE.dtype)
        mean_E = decision.probs_TE.sum(dim=0) / max(1, decision.num_tokens)
        return decision.num_experts * (load_E * mean_E).sum()


def _of_sums(decision: RoutingDecision, total: Total) -> Tensor:
    """Return the loss of what several decisions sum to."""
    prob_E, num = decision.probs_TE.sum(dim=0), decision.num_experts
    count_E = decision.requested_A.bincount(minlength=num).to(prob_E.dtype)
    tokens = prob_E.new_tensor([decision.num_tokens])
    count_E, prob_E, tokens = total(torch.cat([count_E, prob_E, tokens])).split([num, num, 1])
    load_E, mean_E = count_E / count_E.sum().clamp(min=1), prob_E / tokens.clamp(min=1)
    loss: Tensor = num * (load_E * mean_E).sum()
    return loss
