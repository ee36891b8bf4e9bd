"""Balanced assignments: an auction, and the iteration of Sinkhorn."""

import math

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from moebench.moe.routers import BalancedAssignment, Sinkhorn
from moebench.moe.routers.balanced_assignment import auction

from .fakes import rows, with_identity

# Three of four tokens prefer the first expert, which takes two. The one to move is the second,
# which loses 2 where the others lose 3: the scores then sum to 3 + 0 + 4 + 2 = 9.
SCORES_TE = torch.tensor([[3.0, 0.0], [2.0, 0.0], [4.0, 1.0], [1.0, 2.0]])


def sigmoid(value: float) -> float:
    return round(1 / (1 + math.exp(-value)), 6)


def test_tokens_that_lose_least_give_way_in_training() -> None:
    router = with_identity(BalancedAssignment(2, 2))
    expected = [(0, 0, sigmoid(3)), (1, 1, 0.5), (2, 0, sigmoid(4)), (3, 1, sigmoid(2))]
    assert rows(router(SCORES_TE)) == expected
    alone = [(0, 0, sigmoid(3)), (1, 0, sigmoid(2)), (2, 0, sigmoid(4)), (3, 1, sigmoid(2))]
    assert rows(router.eval()(SCORES_TE)) == alone


@pytest.mark.parametrize(("tokens", "experts"), [(24, 4), (64, 8), (30, 4), (3, 8), (9, 1)])
@pytest.mark.parametrize("lean", [0.0, 3.0])
def test_the_auction_finds_the_best_assignment(tokens: int, experts: int, lean: float) -> None:
    """As an independent solver does, to within its increment; also if all prefer one expert."""
    torch.manual_seed(0)
    score_TE = torch.randn(tokens, experts, dtype=torch.float64)
    score_TE[:, 0] += lean
    places = -(-tokens // experts)
    expert_T, left = auction(score_TE, places, increment=1e-3, rounds=20000)
    assert left == 0
    assert expert_T.bincount(minlength=experts).max() <= places
    row, column = linear_sum_assignment(-score_TE.repeat_interleave(places, dim=1).numpy())
    best = float(score_TE[row, column // places].sum())
    found = float(score_TE.gather(1, expert_T[:, None]).sum())
    assert best - tokens * 1e-3 <= found <= best + 1e-9


def test_loads_are_equal_to_the_token() -> None:
    torch.manual_seed(0)
    router = BalancedAssignment(16, 8)
    x_TD = torch.randn(256, 16) + 2 * router.score.weight[0].detach()
    assert router(x_TD).expert_A.bincount().tolist() == [32] * 8


def test_an_auction_that_is_cut_off_says_so_and_stays_balanced() -> None:
    router = with_identity(BalancedAssignment(2, 2, rounds=1))
    with pytest.warns(UserWarning, match="rounds=1: too few to assign 1 of 4 tokens"):
        decision = router(SCORES_TE)
    assert decision.expert_A.bincount().tolist() == [2, 2]


def test_sinkhorn_moves_the_token_that_prefers_less() -> None:
    # Odds 8 : 1 and 2 : 1. Shifts keep their ratio of 4; balanced, that is 2 : 1 and 1 : 2. So the
    # second token changes to the second expert, with its own probability of 1/3.
    router = with_identity(Sinkhorn(2, 2, tolerance=1e-6))
    x_TD = torch.tensor([[8.0, 1.0], [2.0, 1.0]]).log()
    assert rows(router(x_TD)) == [(0, 0, round(8 / 9, 6)), (1, 1, round(1 / 3, 6))]
    assert rows(router.eval()(x_TD)) == [(0, 0, round(8 / 9, 6)), (1, 0, round(2 / 3, 6))]


def test_sinkhorn_evens_out_a_load_that_leans() -> None:
    torch.manual_seed(0)
    router = with_identity(Sinkhorn(8, 8))
    x_TD = torch.randn(4096, 8)
    x_TD[:, 0] += 2
    alone_E = router.eval()(x_TD).expert_A.bincount(minlength=8)
    shared_E = router.train()(x_TD).expert_A.bincount(minlength=8)
    assert alone_E.max() > 2 * 512
    assert shared_E.max() < 1.2 * 512


def test_sinkhorn_that_is_cut_off_says_so() -> None:
    router = with_identity(Sinkhorn(2, 2, rounds=1, tolerance=1e-6))
    with pytest.warns(UserWarning, match=r"rounds=1: too few, .* of the mean away from it"):
        router(torch.tensor([[8.0, 1.0], [2.0, 1.0]]).log())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BalancedAssignment(2, 2, precision=0.0), "precision=0.0: must be above 0"),
        (lambda: BalancedAssignment(2, 2, rounds=0), "rounds=0: must be at least 1"),
        (lambda: Sinkhorn(2, 2, tolerance=math.inf), "tolerance=inf: must be above 0 and finite"),
        (lambda: Sinkhorn(2, 2, rounds=0), "rounds=0: must be at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
