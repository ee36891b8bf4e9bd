"""GShard's auxiliary loss with a pencil: its value, its groups, its gradient."""

import pytest
import torch
from torch import Tensor

from moebench.moe.decision import tokens_choose
from moebench.moe.losses import FirstChoiceBalance, LoadBalance


def decide(probs_TE: Tensor, experts: list[list[int]]):
    expert_TK = torch.tensor(experts)
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))


# First choices 0, 0, 1: shares 2/3, 1/3, 0. Mean gates 4/10, 4/10, 2/10.
PROBS_TE = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.2, 0.7, 0.1]])


@pytest.mark.parametrize("second", [[1, 2, 0], [2, 1, 2]])
def test_only_first_choices_count(second: list[int]) -> None:
    experts = [[first, other] for first, other in zip([0, 0, 1], second, strict=True)]
    value = FirstChoiceBalance()(decide(PROBS_TE, experts)).item()
    assert value == pytest.approx((2 / 3 * 0.4 + 1 / 3 * 0.4) / 3)


@pytest.mark.parametrize("num_experts", [2, 4, 16])
def test_value_when_uniform_and_when_collapsed(num_experts: int) -> None:
    even_TE = torch.full((num_experts, num_experts), 1 / num_experts)
    one_each = [[expert, (expert + 1) % num_experts] for expert in range(num_experts)]
    uniform = FirstChoiceBalance()(decide(even_TE, one_each)).item()
    assert uniform == pytest.approx(1 / num_experts**2)
    collapsed_TE = torch.eye(num_experts)[[0] * 5]
    collapsed = FirstChoiceBalance()(decide(collapsed_TE, [[0, 1]] * 5)).item()
    assert collapsed == pytest.approx(1 / num_experts)


def test_it_is_the_loss_of_switch_on_first_choices_but_for_a_factor() -> None:
    first = LoadBalance()(decide(PROBS_TE, [[0], [0], [1]]))
    both = FirstChoiceBalance()(decide(PROBS_TE, [[0, 1], [0, 2], [1, 0]]))
    assert 9 * both.item() == pytest.approx(first.item())


def test_groups_are_balanced_apart() -> None:
    # Two groups of two tokens that all choose the same expert, a different one in each group:
    # balanced over the batch, 1/4; collapsed in every group, 1/2.
    probs_TE = torch.eye(2)[[0, 0, 1, 1]]
    decision = decide(probs_TE, [[0], [0], [1], [1]])
    assert FirstChoiceBalance()(decision).item() == pytest.approx(1 / 4)
    assert FirstChoiceBalance(group=2)(decision).item() == pytest.approx(1 / 2)
    with pytest.raises(ValueError, match=r"FirstChoiceBalance\.group=3: does not divide 4 tokens"):
        FirstChoiceBalance(group=3)(decision)
    with pytest.raises(ValueError, match=r"FirstChoiceBalance\.group=0: must be at least 1 token"):
        FirstChoiceBalance(group=0)


def test_the_gradient_is_the_share_of_first_choices() -> None:
    # d / d p_te = c_e / (S E S), nothing through c.
    probs_TE = PROBS_TE.clone().requires_grad_()
    FirstChoiceBalance()(decide(probs_TE, [[0], [0], [1]])).backward()
    torch.testing.assert_close(probs_TE.grad, torch.tensor([[2 / 27, 1 / 27, 0.0]] * 3))
