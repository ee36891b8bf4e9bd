"""Two tokens whose routing can be checked with a pencil.

Scores are chosen as logarithms, so that the softmax is a division: ln 1, ln 2, ln 5 give
1/8, 2/8, 5/8.
"""

import math

import torch

from moebench.moe.decision import RoutingDecision, tokens_choose

# Two tokens of width 3; a weight of the identity makes the token its own scores.
X_TD = torch.tensor([[0.0, math.log(2), math.log(5)], [math.log(6), math.log(3), 0.0]])
PROBS_TE = torch.tensor([[1 / 8, 2 / 8, 5 / 8], [6 / 10, 3 / 10, 1 / 10]])


def with_identity(router):
    """Set the scores of a router to the token itself."""
    torch.nn.init.eye_(router.score.weight)
    return router


def rows(decision) -> list[tuple[int, int, float]]:
    """Token, expert and weight of each row, in order."""
    weights = [round(weight, 6) for weight in decision.weight_A.tolist()]
    return list(zip(decision.token_A.tolist(), decision.expert_A.tolist(), weights, strict=True))


def asking(*experts: int, num_experts: int = 4) -> RoutingDecision:
    """Return a decision of one row per token, which requests these experts."""
    expert_T1 = torch.tensor(experts)[:, None]
    scores_TE = torch.zeros(len(experts), num_experts)
    return tokens_choose(scores_TE, scores_TE.softmax(-1), expert_T1, torch.ones(len(experts), 1))


def by_tokens(router, x_TD: torch.Tensor, answer_A: list[float]) -> torch.Tensor:
    """Return the gradient of sum(answer x weight) by the tokens, which are their own scores."""
    x_TD = x_TD.clone().requires_grad_()
    (router(x_TD).weight_A * torch.tensor(answer_A)).sum().backward()
    assert x_TD.grad is not None
    return x_TD.grad


def assert_shares(router) -> None:
    """Assert that 8000 draws for the first token follow its probabilities."""
    torch.manual_seed(0)
    decision = router.train()(X_TD[:1].expand(8000, 3))
    share_E = decision.expert_A.bincount(minlength=3) / 8000
    # Three standard errors of a share of 5/8 in 8000 draws are 0.016.
    torch.testing.assert_close(share_E, PROBS_TE[0], atol=0.017, rtol=0)
    assert set(decision.weight_A.tolist()) == {1.0}
