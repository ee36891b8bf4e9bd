"""Gating on two levels, checkable with a pencil."""

import math

import pytest
import torch

from moebench.moe.routers import Hierarchical, TopK

from .fakes import rows, with_identity


def fixed(dim: int, count: int) -> TopK:
    """The best of its scores, which are the first features of the token."""
    router = TopK(dim, count, k=count)
    with_identity(router)
    return router


def test_two_levels_multiply_their_weights() -> None:
    # Groups 1/3 and 2/3. Both groups give their experts 1/3 and 2/3 too: the same two features.
    x_TD = torch.tensor([[0.0, math.log(2)]])
    decision = Hierarchical(2, 4, 2, fixed, fixed)(x_TD)
    ninth = [round(part / 9, 6) for part in (4, 2, 2, 1)]
    assert rows(decision) == [
        (0, 3, ninth[0]),
        (0, 2, ninth[1]),
        (0, 1, ninth[2]),
        (0, 0, ninth[3]),
    ]
    expected = torch.tensor([[1 / 9, 2 / 9, 2 / 9, 4 / 9]])
    torch.testing.assert_close(decision.probs_TE, expected)
    torch.testing.assert_close(decision.logits_TE.softmax(-1), expected)


def test_a_group_sees_only_its_own_tokens() -> None:
    def first(dim: int, count: int) -> TopK:
        router = TopK(dim, count, k=1)
        with_identity(router)
        return router

    x_TD = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    decision = Hierarchical(2, 4, 2, first, first)(x_TD)
    assert [token_R.tolist() for token_R in decision.token_of] == [[0, 2], [1]]
    assert rows(decision) == [(0, 0, 1.0), (1, 3, 1.0), (2, 0, 1.0)]
    # Not visited: the probability of the group, spread evenly.
    other = torch.tensor([1.0, 0.0]).softmax(0)[1] / 2
    torch.testing.assert_close(decision.probs_TE[0, 2:], other.expand(2))


def test_first_choices_come_before_second_ones_on_both_levels() -> None:
    torch.manual_seed(0)
    router = Hierarchical(8, 16, 4).train()  # two of four groups, two of four experts
    decision = router(torch.randn(10, 8))
    assert decision.token_A.tolist() == [*range(10)] * 4
    first_TE, weight_KT = decision.primary.weight_A.view(2, 10), decision.weight_A.view(4, 10)
    torch.testing.assert_close(weight_KT[0] + weight_KT[1], first_TE[0])
    torch.testing.assert_close(weight_KT[2] + weight_KT[3], first_TE[1])
    assert (weight_KT[0] >= weight_KT[1]).all()


@pytest.mark.parametrize(("num_experts", "groups"), [(6, 4), (4, 0), (0, 2)])
def test_groups_must_divide_the_experts(num_experts: int, groups: int) -> None:
    message = f"groups={groups}: must divide num_experts={num_experts}"
    with pytest.raises(ValueError, match=message):
        Hierarchical(8, num_experts, groups)
