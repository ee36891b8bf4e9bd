"""Load balancing over all batches of an optimiser step: those of all devices, or accumulated.

Source: Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), section 3: expert counts are
summed over devices, and those of earlier micro-batches are kept until the step is made.
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.metrics import load


class StepLoadBalance(nn.Module):
    """N * sum_i f_i * P_i, `LoadBalance` with f_i of the optimiser step instead of the batch.

    f_i is expert i's share of requests in the step so far on all devices, this batch included, and
    carries no gradient; P_i is the mean probability over the tokens of this batch. The last batch
    of a step thus adds the same gradient as it would within one large batch; earlier batches know
    only those before them, so the step approximates the large batch and does not equal it. With one
    batch per step it is `LoadBalance`. Experts may specialise by batch as long as the step is
    balanced.
    """

    wants_step_load = True

    def forward(self, decision: RoutingDecision, load_E: Tensor | None = None) -> Tensor:
        """Return the loss of one layer, a scalar of the type of `decision.probs_TE`.

        Args:
            decision: the decision for one batch.
            load_E: f; None: that of the batch alone.
        """
        load_E = (load(decision) if load_E is None else load_E).to(decision.probs_TE.dtype)
        mean_E = decision.probs_TE.sum(dim=0) / max(1, decision.num_tokens)
        return decision.num_experts * (load_E * mean_E).sum()
