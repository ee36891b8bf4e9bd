"""GShard's auxiliary loss: it evens out the first choices, and its value depends on their number E.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), section 2.2 and algorithm 1, line 13.
"""

import torch
from torch import Tensor, nn

from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.decision import RoutingDecision


class FirstChoiceBalance(nn.Module):
    """1/E sum_e (c_e / S) m_e over the E experts, unweighted, averaged over the groups.

    c_e counts the tokens of a group whose first choice is expert e, before capacity drops any, and
    carries no gradient; S is the size of the group and m_e the mean probability of e in it. At the
    place where the algorithm forms the loss no second choice has been counted yet, though the text
    calls c_e a result of both. The value is 1/E^2 when routing is uniform and 1/E when it has
    collapsed: E^2 times this loss is `LoadBalance` of the first choices, so a weight that is to
    pull as strongly for any number of experts has to grow with E^2.

    It sees all tokens of a group, as every balance loss does; its cost is a count and a mean.

    Args:
        group: tokens that are balanced together; None: all tokens of a batch.

    Raises:
        ValueError: for a group of less than one token.
    """

    def __init__(self, group: int | None = None) -> None:
        super().__init__()
        if group is not None and group < 1:
            raise ValueError(f"losses.FirstChoiceBalance.group={group}: must be at least 1 token")
        self.group = group

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar of the type of `decision.probs_TE`.

        Raises:
            ValueError: if the tokens do not divide into groups.
        """
        tokens, num = decision.num_tokens, decision.num_experts
        size = self.group or max(1, tokens)
        if tokens % size:
            name = f"losses.FirstChoiceBalance.group={size}"
            raise ValueError(f"{name}: does not divide {tokens} tokens")
        mean_GE = decision.probs_TE.reshape(tokens // size, size, num).mean(dim=1)
        all_A = torch.ones_like(decision.kept_A)
        first_A = place_in_queue(decision.token_A, waiting_A=all_A) == 0
        number_A = decision.token_A // size * num + decision.requested_A
        count_X = number_A[first_A].bincount(minlength=mean_GE.numel())
        share_GE = count_X.view_as(mean_GE).to(mean_GE.dtype) / size
        return (share_GE * mean_GE).sum() / max(1, mean_GE.numel())
