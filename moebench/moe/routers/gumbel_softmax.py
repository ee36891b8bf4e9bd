"""Gumbel-softmax: soft weights with noise, which a falling temperature turns into samples.

Source: Jang, Gu and Poole 2017 (arXiv 1611.01144), section 2, equations 1 and 2, and
section 4.1 for the schedule of the temperature; the same distribution is the Concrete one of
Maddison, Mnih and Teh 2017 (arXiv 1611.00712).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.routers.straight_through import choose_through
from moebench.moe.sees import Sees


class Gumbel(nn.Module):
    """Softmax of scores plus Gumbel noise, at the temperature max(lowest, temperature e^(-rt)).

    Args:
        temperature: at the first of the optimiser steps t.
        lowest: what it does not fall below.
        rate: r, by which it falls; 0 keeps it as it is.

    Raises:
        ValueError: unless 0 < lowest <= temperature < inf and 0 <= rate < inf.
    """

    step: Tensor

    def __init__(self, temperature: float, lowest: float, rate: float) -> None:
        super().__init__()
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature={temperature}: must be above 0 and finite")
        if not 0 < lowest <= temperature:
            raise ValueError(f"lowest={lowest}: must lie above 0, up to temperature={temperature}")
        if not 0 <= rate < math.inf:
            raise ValueError(f"rate={rate}: must be at least 0 and finite")
        self.temperature, self.lowest, self.rate = temperature, lowest, rate
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def now(self) -> Tensor:
        """Return the temperature at this step, a scalar."""
        return (self.temperature * (-self.rate * self.step).exp()).clamp(min=self.lowest)

    def forward(self, logits_TE: Tensor) -> Tensor:
        """Return soft_TE, drawn anew; each row sums to one."""
        noise_TE = -torch.empty_like(logits_TE).exponential_().log()
        return ((logits_TE + noise_TE) / self.now()).softmax(dim=-1)


class GumbelSoftmax(nn.Module):
    """Router that mixes all experts by a Gumbel-softmax in training and picks one outside it.

    Training costs what all experts cost. Outside training there is no noise: the most probable
    expert alone answers, with weight 1. What is trained is therefore not what is used; the
    temperature, which `update` lowers once per optimiser step, is there to narrow the gap.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        temperature: at the first step; the lower, the harder the weights.
        lowest: what the temperature does not fall below.
        rate: r of the schedule max(lowest, temperature e^(-rt)) over the optimiser steps t.

    Raises:
        ValueError: unless 0 < lowest <= temperature < inf and 0 <= rate < inf.
    """

    sees = Sees.TOKEN

    def __init__(
        self,
        dim: int,
        num_experts: int,
        temperature: float = 1.0,
        lowest: float = 0.5,
        rate: float = 1e-4,
    ) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)
        self.gumbel = Gumbel(temperature, lowest, rate)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD: all experts in training, one outside it."""
        logits_TE = self.score(x_TD)
        if self.training:
            soft_TE, order_TE = self.gumbel(logits_TE).sort(dim=-1, descending=True)
            return tokens_choose(logits_TE, logits_TE.softmax(dim=-1), order_TE, soft_TE)
        best_T1 = logits_TE.argmax(dim=-1, keepdim=True)
        return choose_through(logits_TE, logits_TE.softmax(dim=-1), best_T1, answering=1)

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        """Count an optimiser step, whatever its decisions were."""
        self.gumbel.step.add_(1)
