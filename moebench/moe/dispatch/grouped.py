"""Sort the rows by expert and compute them all in one grouped matrix product; nothing is padded.

Source: Gale et al. 2022, MegaBlocks (arXiv 2211.15841), section 3, for dropless computation.
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.combine import combine


class Grouped(nn.Module):
    """Dispatcher that sorts the kept rows by expert; the default."""

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return y_TD."""
        row_R = decision.kept_A.nonzero().squeeze(-1)
        expert_R, order_R = decision.expert_A[row_R].sort(stable=True)
        row_R = row_R[order_R]
        count_E = expert_R.bincount(minlength=decision.num_experts)
        token_R = decision.token_A[row_R]
        # index_select, not x_TD[token_R]: its gradient is one index_add instead of an index_put.
        y_RD = experts(x_TD.index_select(0, token_R), count_E)
        return combine(y_RD, decision.weight_A.index_select(0, row_R), token_R, like_TD=x_TD)
