"""A decision that was made with noise, and how sure it was of each expert.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix A.
"""

from dataclasses import dataclass

from torch import Tensor

from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True, kw_only=True)
class NoisyDecision(RoutingDecision):
    """Each token chose its k best scores; `logits_TE` are the clean scores plus noise."""

    clean_TE: Tensor  # scores without noise
    spread_TE: Tensor  # standard deviation of the noise on each, at least zero
    k: int  # experts of each token, fewer than there are


def others_kth_best(decision: NoisyDecision) -> Tensor:
    """Return the k-th best score among the others, for each token and expert: (T, E).

    It is what an expert has to exceed to be among the k of the token, the scores of the others
    being what they are: the (k+1)-th best of all for those that are among them, else the k-th.
    """
    best_TK = decision.logits_TE.topk(decision.k + 1, dim=-1).values
    kth_T1, next_T1 = best_TK[:, -2:-1], best_TK[:, -1:]
    return next_T1.where(decision.logits_TE > next_T1, kth_T1)
