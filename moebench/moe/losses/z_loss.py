"""The router z-loss: it keeps the scores small, where float32 rounds them least.

Source: Zoph et al. 2022, ST-MoE (arXiv 2202.08906), section 3.3, equation 5.
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision


class ZLoss(nn.Module):
    """Mean over tokens of the squared log-sum-exp of the scores, unweighted; 0 without tokens."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar."""
        squares_T = decision.logits_TE.logsumexp(dim=-1).square()
        return squares_T.sum() / max(1, decision.num_tokens)
