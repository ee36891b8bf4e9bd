"""Losses on routing decisions: values and gradients by hand."""

import math

import pytest
import torch

from moebench.moe.decision import tokens_choose
from moebench.moe.losses import LoadBalance, ZLoss


def decide(probs_TE: torch.Tensor, experts: list[list[int]]):
    expert_TK = torch.tensor(experts)
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))


@pytest.mark.parametrize("num_experts", [2, 4, 16])
def test_balance_is_one_when_uniform_and_n_when_collapsed(num_experts: int) -> None:
    even_TE = torch.full((num_experts, num_experts), 1 / num_experts)
    one_each = [[expert] for expert in range(num_experts)]
    assert LoadBalance()(decide(even_TE, one_each)).item() == pytest.approx(1.0)
    collapsed_TE = torch.zeros(5, num_experts)
    collapsed_TE[:, 0] = 1.0
    collapsed = LoadBalance()(decide(collapsed_TE, [[0]] * 5)).item()
    assert collapsed == pytest.approx(num_experts)


def test_balance_by_hand() -> None:
    # f = (3/4, 1/4), P = mean of (0.6, 0.4) x 3 and (0.2, 0.8) = (0.5, 0.5): 2 (3/8 + 1/8) = 1.
    probs_TE = torch.tensor([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    assert LoadBalance()(decide(probs_TE, [[0], [0], [0], [1]])).item() == pytest.approx(1.0)
    # The same loads with P = (0.375, 0.625): below one, so uniform routing is not the minimum.
    probs_TE = torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.0, 1.0]])
    assert LoadBalance()(decide(probs_TE, [[0], [0], [0], [1]])).item() == pytest.approx(0.875)


def test_balance_with_two_choices_counts_both() -> None:
    # Four assignments: loads 2/4, 1/4, 1/4; P = (0.45, 0.35, 0.2).
    probs_TE = torch.tensor([[0.5, 0.4, 0.1], [0.4, 0.3, 0.3]])
    value = LoadBalance()(decide(probs_TE, [[0, 1], [0, 2]])).item()
    assert value == pytest.approx(3 * (0.5 * 0.45 + 0.25 * 0.35 + 0.25 * 0.2))


def test_balance_gradient_is_the_load() -> None:
    # d / d p_ti = N f_i / T, nothing through f.
    probs_TE = torch.tensor([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]], requires_grad=True)
    LoadBalance()(decide(probs_TE, [[0], [0], [0], [1]])).backward()
    torch.testing.assert_close(probs_TE.grad, torch.tensor([[2 * 3 / 16, 2 * 1 / 16]] * 4))


def test_z_loss_by_hand() -> None:
    # log(1 + 3) and log(2 + 6): mean of their squares over the tokens, whatever each chooses.
    probs_TE = torch.tensor([[0.25, 0.75], [0.25, 0.75]])
    decision = decide(probs_TE, [[1, 0], [1, 0]])
    logits_TE = torch.tensor([[0.0, math.log(3)], [math.log(2), math.log(6)]])
    decision = type(decision)(**{**vars(decision), "logits_TE": logits_TE})
    expected = (math.log(4) ** 2 + math.log(8) ** 2) / 2
    assert ZLoss()(decision).item() == pytest.approx(expected)
