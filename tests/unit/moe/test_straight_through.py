"""Straight-through routing, checkable with a pencil."""

import pytest
import torch

from moebench.moe.routers import StraightThrough

from .fakes import X_TD, assert_shares, by_tokens, rows, with_identity


def test_straight_through_chooses_hard_and_learns_from_the_probability() -> None:
    router = with_identity(StraightThrough(3, 3))
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]
    # d p_2 / d s_2 = 5/8 x 3/8, and - 5/8 x 1/8 and - 5/8 x 2/8 by the others: as Switch.
    expected = torch.tensor([[-5 / 64, -10 / 64, 15 / 64]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [1.0]), expected)


def test_straight_through_compares_all_answers_if_all_are_given() -> None:
    router = with_identity(StraightThrough(3, 3, answering=3))
    assert rows(router(X_TD[:1])) == [(0, 2, 1.0), (0, 1, 0.0), (0, 0, 0.0)]
    # The answer of expert 0, last in the row, alone: p_0 (1 - p_0), - p_0 p_1, - p_0 p_2.
    expected = torch.tensor([[7 / 64, -2 / 64, -5 / 64]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [0.0, 0.0, 1.0]), expected)
    assert rows(router.eval()(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]


def test_straight_through_draws_its_expert_in_training_only() -> None:
    router = with_identity(StraightThrough(3, 3, sampled=True))
    assert_shares(router)
    assert set(router.eval()(X_TD[:1].expand(99, 3)).expert_A.tolist()) == {2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StraightThrough(3, 3, answering=4), "answering=4: must lie between 1 and num_e"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
