"""The loss that teaches a strictly balanced gate which tokens an expert takes from a batch.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix F, equation 20.
"""

import torch
from torch import Tensor, nn

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision


class ThresholdGap(nn.Module):
    """Sum over the experts of |probability - threshold| where the two masks disagree, per token.

    Zero when the thresholds select the same tokens as the batch. The paper sums over the tokens;
    taking their mean makes the weight independent of the batch size. Only the thresholds are
    trained: probabilities are constants here, so that they do not bend towards the thresholds.
    """

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar.

        Raises:
            ValueError: if the decision has no thresholds.
        """
        if not isinstance(decision, BalancedDecision):
            raise ValueError(
                f"losses.ThresholdGap: needs the router Batchwise; got a {type(decision).__name__}"
            )
        excess_TE = decision.probs_TE.detach() - decision.threshold_E
        taken_TE = torch.zeros_like(excess_TE)
        taken_TE[decision.token_A, decision.requested_A] = 1.0
        wrong_TE = (excess_TE > 0).to(excess_TE.dtype) - taken_TE
        return (wrong_TE * excess_TE).sum() / max(1, decision.num_tokens)
