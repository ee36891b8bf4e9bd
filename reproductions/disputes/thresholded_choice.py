"""Expert choice in training; outside it, every expert takes what exceeds its threshold.

Source: Zhou et al. 2022 (arXiv 2202.09368), section 3.2, equations 1 and 2. The thresholds that
replace the choice outside training are those of Shazeer et al. 2017 (arXiv 1701.06538), appendix F,
equations 19 and 20: the paper's own choice sees later tokens, so that its loss would be no loss of
a model that can generate.
"""

import torch
from torch import Tensor, nn

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import Score
from moebench.moe.routers.top_k import check_k
from moebench.moe.sees import Sees


class ThresholdedChoice(nn.Module):
    """Router whose experts each take, in training, their k * T / E most probable of T tokens.

    A token thus gets k experts on average. The weight is the token's probability of the expert, not
    normalised over those that took it. Outside training an expert takes every token whose
    probability exceeds its threshold, whatever the other tokens are; thresholds learn from the loss
    `ThresholdGap` alone.

    Example: with two experts, k = 1 and probabilities of the first expert 0.9, 0.8, 0.6, 0.3, the
    first takes tokens 0 and 1, the second 3 and 2.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.
        k: mean number of experts a token.
        group: tokens T among which an expert chooses, such as the length of a sequence; None: all
            of a batch.

    Raises:
        ValueError: for a k that is out of range, or a group of which an expert gets no token.
    """

    def __init__(self, dim: int, num_experts: int, k: int = 2, group: int | None = None) -> None:
        super().__init__()
        check_k(k, num_experts)
        if group is not None and k * group < num_experts:
            raise ValueError(f"group={group}: of so few tokens, {num_experts} experts take none")
        self.num_experts, self.k, self.group = num_experts, k, group
        self.score = Score(dim, num_experts)
        self.threshold_E = nn.Parameter(torch.full((num_experts,), 1 / num_experts))

    def sees(self, length: int | None, training: bool) -> Sees:
        """Return what an expert compares in training, and TOKEN outside it."""
        if not training:
            return Sees.TOKEN
        inside = bool(length and self.group and length % self.group == 0)
        return Sees.SEQUENCE if inside else Sees.BATCH

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `BalancedDecision`.

        Raises:
            ValueError: in training, for tokens that are not whole groups.
        """
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        threshold_E = self.threshold_E.to(probs_TE.dtype)
        taken_TE = self._taken(probs_TE.detach()) if self.training else probs_TE > threshold_E
        token_A, expert_A = taken_TE.nonzero(as_tuple=True)
        return BalancedDecision(
            logits_TE=logits_TE,
            probs_TE=probs_TE,
            token_A=token_A,
            expert_A=expert_A,
            weight_A=probs_TE[token_A, expert_A],
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
            threshold_E=threshold_E,
        )

    def _taken(self, probs_TE: Tensor) -> Tensor:
        """Return taken_TE, the best tokens of every expert in every group."""
        size = self.group or len(probs_TE)
        if size and len(probs_TE) % size:
            raise ValueError(f"group={size}: does not divide {len(probs_TE)} tokens")
        probs_GSE = probs_TE.unflatten(0, (-1, size)) if size else probs_TE[None]
        best_GME = probs_GSE.topk(self.k * size // self.num_experts, dim=1).indices
        taken_GSE = torch.zeros_like(probs_GSE, dtype=torch.bool).scatter_(1, best_GME, True)
        return taken_GSE.flatten(0, 1)
