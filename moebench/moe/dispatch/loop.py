"""One expert at a time: slow, plain, and the oracle for the other dispatchers."""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.combine import combine


class Loop(nn.Module):
    """Dispatcher that runs the experts in turn, each on its own rows."""

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return y_TD."""
        y_TD = torch.zeros_like(x_TD)
        for expert in range(decision.num_experts):
            row_R = ((decision.expert_A == expert) & decision.kept_A).nonzero().squeeze(-1)
            if row_R.numel() == 0:
                continue
            count_E = row_R.new_zeros(decision.num_experts)
            count_E[expert] = row_R.numel()
            token_R = decision.token_A[row_R]
            y_RD = experts(x_TD[token_R], count_E)
            y_TD = y_TD + combine(y_RD, decision.weight_A[row_R], token_R, like_TD=x_TD)
        return y_TD
