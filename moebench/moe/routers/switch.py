"""Switch routing: one expert per token, its probability kept as the multiplier.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.1, equations 1 and 2. The input
jitter is multiplicative, as in the paper's text; its pseudo-code adds it to the logits, which would
shift all of them equally and not change the choice.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score, at_least_float32
from moebench.moe.sees import Sees


class Switch(nn.Module):
    """Router that sends each token to the one expert of highest probability.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        jitter: half-width of the uniform factor around one on the input, in training only.
    """

    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(self, dim: int, num_experts: int, jitter: float = 0.01) -> None:
        super().__init__()
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter={jitter}: must be at least 0 and below 1")
        self.num_experts = num_experts
        self.jitter = jitter
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        x_TD = at_least_float32(x_TD)
        if self.training and self.jitter > 0:
            x_TD = x_TD * torch.empty_like(x_TD).uniform_(1 - self.jitter, 1 + self.jitter)
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        weight_T, expert_T = probs_TE.max(dim=-1)
        return tokens_choose(logits_TE, probs_TE, expert_T[:, None], weight_T[:, None])
