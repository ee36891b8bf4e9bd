"""REINFORCE: one sampled expert, made more likely if it lowered the loss more than others did.

Source: Williams 1992, "Simple statistical gradient-following algorithms for connectionist
reinforcement learning", section 4, theorem 1, with a reinforcement baseline; for mixtures Clark et
al. 2022 (arXiv 2202.01169), "RL-R".
"""

from typing import Any

from torch import Tensor, nn
from torch.autograd import Function

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees


class LessOthers(Function):
    """The identity, whose gradient for a token is reduced by the mean of all other tokens'."""

    @staticmethod
    def forward(ctx: Any, weight_T1: Tensor) -> Tensor:
        """Return the weights."""
        return weight_T1.view_as(weight_T1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Return each token's gradient less that of the others; a single token keeps its own."""
        (grad_T1,) = grads
        others = max(1, grad_T1.shape[0] - 1)
        return grad_T1 - (grad_T1.sum(dim=0, keepdim=True) - grad_T1) / others


class Reinforce(nn.Module):
    """Router that draws one expert per token with weight 1, and learns from what that did.

    The gradient of a token's scores is (c - b) times that of the log probability of its expert:
    c is the change of the loss due to the expert's answer, b the mean change of the other tokens of
    the batch, which leaves the expected gradient as it is and lowers its variance.

    Nothing but the layer's output connects a router with the loss, so c is taken to first order:
    the gradient of the loss at the output, times the answer. Where the loss is linear in the
    answer, c is exactly the loss less that without an answer, and the estimate has no bias; where
    it curves, it has. `surrogate` needs no such approximation but the loss of every token.

    The cost is that of one expert. Outside training the most probable expert answers. Decisions
    see their token alone; the gradient sees the batch.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        baseline: whether b is subtracted.
    """

    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(self, dim: int, num_experts: int, baseline: bool = True) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.baseline = baseline
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        logits_TE = self.score(x_TD)
        log_probs_TE = logits_TE.log_softmax(dim=-1)
        probs_TE = log_probs_TE.exp()
        if self.training:
            expert_T1 = probs_TE.detach().multinomial(num_samples=1)
        else:
            expert_T1 = probs_TE.argmax(dim=-1, keepdim=True)
        chosen_T1 = log_probs_TE.gather(1, expert_T1)
        weight_T1 = (chosen_T1 - chosen_T1.detach()).exp()  # exactly 1; the gradient of the log
        if self.baseline:
            weight_T1 = LessOthers.apply(weight_T1)  # type: ignore[no-untyped-call]
        return tokens_choose(logits_TE, probs_TE, expert_T1, weight_T1)


def surrogate(decision: RoutingDecision, loss_T: Tensor, baseline: bool = True) -> Tensor:
    """Return a scalar whose gradient by the scores is REINFORCE with the whole loss of each token.

    For training loops that have it: add the scalar to the loss, and detach `weight_A` if the
    choice shall learn from nothing else. It is unbiased if experts were drawn from `probs_TE` and
    no token's choice affects the loss of another.

    Args:
        decision: of one expert per token.
        loss_T: loss of each token; no gradient flows through it.
        baseline: whether the mean loss of the other tokens is subtracted.
    """
    log_probs_TE = decision.logits_TE.log_softmax(dim=-1)
    log_prob_T = log_probs_TE[decision.token_A, decision.requested_A]
    reward_T = loss_T.detach()[decision.token_A]
    if baseline and len(reward_T) > 1:
        reward_T = (reward_T - reward_T.mean()) * len(reward_T) / (len(reward_T) - 1)
    return (reward_T * log_prob_T).sum() / max(1, decision.num_tokens)
