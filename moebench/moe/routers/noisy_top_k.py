"""Noisy top-k gating: each token goes to its k best experts by scores with learned noise.

Source: Shazeer et al. 2017 (arXiv 1701.06538), section 2.1, equations 3 to 5; both matrices start
at zero, appendix A.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.noise import NoisyDecision
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


class NoisyTopK(nn.Module):
    """Router that keeps the k best noisy scores and takes the softmax over those alone.

    Noise is added in training only. As both matrices start at zero, the first choices are uniform,
    and outside training an untrained router sends every token to the same experts.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        k: experts each token is sent to.

    Raises:
        ValueError: unless 1 <= k < num_experts.
    """

    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int, k: int = 2) -> None:
        super().__init__()
        if not 1 <= k < num_experts:
            raise ValueError(
                f"k={k}: must lie between 1 and num_experts - 1 = {num_experts - 1}, as the load "
                "is estimated from the (k+1)-th score; for k = num_experts use AllExperts"
            )
        self.num_experts = num_experts
        self.k = k
        self.score = Score(dim, num_experts)
        self.noise = Score(dim, num_experts)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.noise.weight)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `NoisyDecision`."""
        clean_TE = self.score(x_TD)
        # A temperature divides the noise along with the scores.
        spread_TE = softplus(self.noise.product(x_TD)) / self.score.temperature
        noisy_TE = clean_TE
        if self.training:
            noisy_TE = clean_TE + spread_TE * torch.randn_like(spread_TE)
        top_TK, expert_TK = noisy_TE.topk(self.k, dim=-1)
        chosen = tokens_choose(noisy_TE, noisy_TE.softmax(-1), expert_TK, top_TK.softmax(-1))
        return NoisyDecision(**vars(chosen), clean_TE=clean_TE, spread_TE=spread_TE, k=self.k)
