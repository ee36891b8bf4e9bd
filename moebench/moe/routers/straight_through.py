"""Straight-through routing: a hard choice forward, the gradient of the softmax backward.

Source: Bengio, Léonard and Courville 2013 (arXiv 1308.3432), the straight-through estimator, for a
binary choice; Jang, Gu and Poole 2017 (arXiv 1611.01144), section 2.2, for one of several.
"""

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


def check_answering(answering: int, num_experts: int) -> None:
    """Raise ValueError unless 1 <= answering <= num_experts."""
    if not 1 <= answering <= num_experts:
        raise ValueError(f"answering={answering}: must lie between 1 and num_experts={num_experts}")


def choose_through(
    logits_TE: Tensor, soft_TE: Tensor, expert_T1: Tensor, answering: int
) -> RoutingDecision:
    """Return the choice of one expert per token, with weights whose gradient is that of `soft_TE`.

    The chosen expert has weight 1. The others that answer, those with the largest soft weights,
    have weight 0: they change no output, but their answers are in the gradient.

    Args:
        logits_TE: scores before normalisation.
        soft_TE: weights that the gradient takes instead of the hard ones.
        expert_T1: the chosen experts.
        answering: number of experts that answer, the chosen one included.
    """
    ranked_TE = soft_TE.detach().scatter(1, expert_T1, 2.0)  # above every soft weight
    expert_TK = ranked_TE.topk(answering, dim=-1).indices
    soft_TK = soft_TE.gather(1, expert_TK)
    hard_TK = torch.zeros_like(soft_TK)
    hard_TK[:, :1] = 1.0
    weight_TK = hard_TK + (soft_TK - soft_TK.detach())  # exactly the hard ones
    return tokens_choose(logits_TE, logits_TE.softmax(dim=-1), expert_TK, weight_TK)


class StraightThrough(nn.Module):
    """Router that sends each token to one expert with weight 1, trained as if by its probability.

    With `answering` = 1 an expert that was not chosen is taken to be worth nothing, as `Switch`
    does, too. With `answering` = num_experts all answers are compared, as in the source: training
    then costs what all experts cost, and its loads count all of them. Outside training the most
    probable expert alone answers, at the cost of one.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        sampled: whether training draws the expert from the softmax, as in the source, instead of
            taking the most probable one.
        answering: number of experts that answer each token in training, most probable first.

    Raises:
        ValueError: unless 1 <= answering <= num_experts.
    """

    sees = Sees.TOKEN

    def __init__(
        self, dim: int, num_experts: int, sampled: bool = False, answering: int = 1
    ) -> None:
        super().__init__()
        check_answering(answering, num_experts)
        self.num_experts = num_experts
        self.sampled = sampled
        self.answering = answering
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        if self.training and self.sampled:
            expert_T1 = probs_TE.detach().multinomial(num_samples=1)
        else:
            expert_T1 = probs_TE.argmax(dim=-1, keepdim=True)
        answering = self.answering if self.training else 1
        return choose_through(logits_TE, probs_TE, expert_T1, answering)
