"""A decision made on noisy scores, with the scale of the noise.

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
    k: int  # experts per token, fewer than E


def others_kth_best(decision: NoisyDecision) -> Tensor:
    """Return, for each token and expert, the k-th best score among the other experts: (T, E).

    An expert must exceed it to be among the token's k, all other scores held fixed. It is the
    (k+1)-th best of all scores for an expert that is among them, and the k-th for any other.
    """
    best_TK = decision.logits_TE.topk(decision.k + 1, dim=-1).values
    kth_T1, next_T1 = best_TK[:, -2:-1], best_TK[:, -1:]
    return next_T1.where(decision.logits_TE > next_T1, kth_T1)
