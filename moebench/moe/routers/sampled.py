"""Exploration by sampling: the expert is drawn from the softmax instead of taking its maximum.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), appendix C, "sample softmax".
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


class Sampled(nn.Module):
    """Router that draws one expert per token in training and takes the most probable otherwise.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
    """

    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        if self.training:
            expert_T1 = probs_TE.detach().multinomial(num_samples=1)
        else:
            expert_T1 = probs_TE.argmax(dim=-1, keepdim=True)
        return tokens_choose(logits_TE, probs_TE, expert_T1, probs_TE.gather(1, expert_T1))
