"""Sinkhorn routing: scores are shifted, in training, until all experts are wanted equally.

Source: Clark et al. 2022 (arXiv 2202.01169), "S-BASE"; Kool, Maddison and Mnih 2021, "Unbiased
gradient estimation with balanced assignments for mixtures of experts"; the iteration is that of
Cuturi 2013 (arXiv 1306.0895), algorithm 1, on logarithms.
"""

import math
import warnings

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


def balance(logits_TE: Tensor, tolerance: float, rounds: int) -> tuple[Tensor, float]:
    """Return probabilities shifted towards equal loads, and how far the loads still are from it.

    Args:
        logits_TE: scores of at least one token.
        tolerance: how far the mean probability of an expert may be from 1 / E, relative to it.
        rounds: the most iterations.
    """
    even = math.log(len(logits_TE) / logits_TE.shape[1])
    shift_E = torch.zeros_like(logits_TE[0])
    for _ in range(rounds):
        log_plan_TE = (logits_TE + shift_E).log_softmax(dim=-1)
        excess_E = log_plan_TE.logsumexp(dim=0) - even
        if float(excess_E.expm1().abs().max()) <= tolerance:
            break
        shift_E = shift_E - excess_E
    log_plan_TE = (logits_TE + shift_E).log_softmax(dim=-1)
    off = (log_plan_TE.logsumexp(dim=0) - even).expm1().abs().max()
    return log_plan_TE.exp(), float(off)


class Sinkhorn(nn.Module):
    """Router that takes, in training, the expert of highest probability in a balanced plan.

    The plan is what probabilities become if a constant per expert is added to the scores until all
    experts have the same sum of probabilities: entropic optimal transport. Its maxima are about,
    not exactly balanced; for that, see `BalancedAssignment`. The weight is the softmax of the
    scores alone. Training sees the whole batch of a device, later tokens included; outside it each
    token takes its best expert. The plan costs up to `rounds` passes over the scores; if that does
    not suffice, a warning says how uneven it still is, and it is used as it is.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        tolerance: how far an expert's sum of probabilities may be from the mean, as a share of it.
        rounds: the most iterations.

    Raises:
        ValueError: unless tolerance is above 0 and finite, and rounds >= 1.
    """

    k = 1  # experts each token is sent to

    def __init__(
        self, dim: int, num_experts: int, tolerance: float = 0.01, rounds: int = 100
    ) -> None:
        super().__init__()
        if not 0 < tolerance < math.inf:
            raise ValueError(f"tolerance={tolerance}: must be above 0 and finite")
        if rounds < 1:
            raise ValueError(f"rounds={rounds}: must be at least 1")
        self.num_experts = num_experts
        self.tolerance, self.rounds = tolerance, rounds
        self.score = Score(dim, num_experts)

    def sees(self, length: int | None, training: bool) -> Sees:
        """Return BATCH in training, whose tokens share the plan, and TOKEN outside it."""
        return Sees.BATCH if training else Sees.TOKEN

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        chosen_by_TE = probs_TE
        if self.training and logits_TE.numel():
            chosen_by_TE, off = balance(logits_TE.detach(), self.tolerance, self.rounds)
            if off > self.tolerance:
                warnings.warn(
                    f"rounds={self.rounds}: too few, some expert's sum of probabilities is still "
                    f"{off:.2g} of the mean away from it; raise rounds or tolerance",
                    stacklevel=2,
                )
        expert_T1 = chosen_by_TE.argmax(dim=-1, keepdim=True)
        return tokens_choose(logits_TE, probs_TE, expert_T1, probs_TE.gather(1, expert_T1))
