"""Expert choice by hand: who takes whom, in which group, and what that gives away."""

import math

import pytest
import torch

from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import ExpertChoice, SoftmaxTopK
from moebench.moe.sees import Sees, sees

from .fakes import X_TD, rows, with_identity

# Probabilities of expert 0, out of ten: 9, 8, 3, 1 for four tokens; those of expert 1 are the rest.
X_T2 = torch.tensor([[math.log(n / (10 - n)), 0.0] for n in (9, 8, 3, 1)])


def test_every_expert_takes_its_best_tokens() -> None:
    decision = with_identity(ExpertChoice(2, 2, k=1))(X_T2)
    assert rows(decision) == [(0, 0, 0.9), (3, 1, 0.9), (1, 0, 0.8), (2, 1, 0.7)]
    assert decision.kept_A.all()


def test_of_every_group_it_takes_as_many() -> None:
    # Of tokens 0 and 1 expert 0 prefers token 0, and of 2 and 3 token 2, though both say expert 1.
    decision = with_identity(ExpertChoice(2, 2, k=1, group=2))(X_T2)
    assert rows(decision) == [(0, 0, 0.9), (1, 1, 0.2), (2, 0, 0.3), (3, 1, 0.9)]


def test_a_token_may_get_several_experts_or_none() -> None:
    # Token 1 is the best for experts 0 and 1 (6/10 and 3/10), token 0 for expert 2 (5/8).
    router = with_identity(ExpertChoice(3, 3, k=1))
    x_TD = torch.cat([X_TD, torch.zeros(1, 3)])
    assert rows(router(x_TD)) == [(1, 0, 0.6), (2, 1, round(1 / 3, 6)), (0, 2, 0.625)]
    lazy_TD = torch.cat([X_TD, torch.tensor([[0.0, -9.0, 0.0]])])
    assert rows(router(lazy_TD)) == [(1, 0, 0.6), (1, 1, 0.3), (0, 2, 0.625)]


@pytest.mark.parametrize(
    ("size", "rows"), [(64, 16), (8, 2), (4, 1), (2, 1), (1, 1), (7, 1), (0, 0)]
)
def test_rows_by_hand(size: int, rows: int) -> None:
    assert ExpertChoice(4, 8, k=2).rows(size) == rows


def test_what_it_sees_follows_from_the_group() -> None:
    for group, length, found in [
        (None, 8, Sees.BATCH),
        (8, 8, Sees.SEQUENCE),
        (4, 8, Sees.SEQUENCE),
        (16, 8, Sees.BATCH),
        (8, None, Sees.BATCH),
        (1, 8, Sees.TOKEN),
    ]:
        assert sees(ExpertChoice(4, 4, k=2, group=group), length, training=False) == found
    assert sees(ExpertChoice(4, 4, k=4), 8, training=False) == Sees.TOKEN


def test_if_every_expert_takes_all_it_is_token_choice() -> None:
    choosing, chosen = with_identity(ExpertChoice(3, 3, k=3)), with_identity(SoftmaxTopK(3, 3, k=3))
    assert sorted(rows(choosing(X_TD))) == sorted(rows(chosen(X_TD)))


def test_every_dispatcher_carries_it_out() -> None:
    torch.manual_seed(0)
    router, experts, x_TD = ExpertChoice(8, 4, group=12), ReluMLP(8, 4, 8), torch.randn(24, 8)
    first, *others = [
        MoELayer(router, experts, dispatcher())(x_TD)[0] for dispatcher in DISPATCHERS.values()
    ]
    for other in others:
        torch.testing.assert_close(other, first)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExpertChoice(3, 2, k=3), "k=3: must lie between 1 and num_experts=2"),
        (lambda: ExpertChoice(3, 2, group=0), "group=0: must be at least 1 token"),
        (
            lambda: ExpertChoice(3, 2, group=3)(torch.ones(4, 3)),
            "group=3: does not divide 4 tokens",
        ),
    ],
)
def test_bad_numbers_are_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ValueError, match=r"must|divide") as refusal:
        make()
    assert str(refusal.value) == message
