"""The routing decision: how choices are written down, and what it answers about itself."""

from dataclasses import replace

import torch

from moebench.moe.decision import tokens_choose

# Three tokens, two choices each, four experts.
EXPERT_TK = torch.tensor([[2, 0], [1, 3], [2, 1]])
WEIGHT_TK = torch.tensor([[0.5, 0.25], [0.75, 0.125], [1.0, 0.0]])
SCORES_TE = torch.zeros(3, 4)
DECISION = tokens_choose(SCORES_TE, SCORES_TE.softmax(-1), EXPERT_TK, WEIGHT_TK)


def test_first_choices_come_before_second_ones() -> None:
    assert DECISION.token_A.tolist() == [0, 1, 2, 0, 1, 2]
    assert DECISION.expert_A.tolist() == [2, 1, 2, 0, 3, 1]
    assert DECISION.weight_A.tolist() == [0.5, 0.75, 1.0, 0.25, 0.125, 0.0]
    assert DECISION.kept_A.tolist() == [True] * 6


def test_the_requested_expert_is_the_first_one_even_if_a_rule_moves_the_row() -> None:
    assert DECISION.requested_A is DECISION.expert_A
    moved_A = torch.full((6,), 3)
    moved = replace(DECISION, expert_A=moved_A, original_expert_A=DECISION.expert_A)
    assert moved.requested_A.tolist() == [2, 1, 2, 0, 3, 1]
    assert moved.expert_A.tolist() == [3] * 6


def test_weights_keep_their_gradient() -> None:
    weight_TK = WEIGHT_TK.clone().requires_grad_()
    decision = tokens_choose(SCORES_TE, SCORES_TE, EXPERT_TK, weight_TK)
    (decision.weight_A * torch.arange(6.0)).sum().backward()
    assert weight_TK.grad.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
