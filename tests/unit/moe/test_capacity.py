"""Capacity by hand: how many rows, which ones, and what happens to the rest."""

import pytest
import torch
from torch import nn

from moebench.moe.capacity.limit import Capacity, Limited, groups, limit, priority_order
from moebench.moe.capacity.overflow import NextExpert
from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.contract import lift_capacity
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers import Switch


def choose(*experts: list[int], probs: list[list[float]] | None = None) -> RoutingDecision:
    """Tokens with these choices, best first; weights fall from choice to choice."""
    expert_TK = torch.tensor(experts)
    if probs is None:
        probs = torch.full((len(experts), 3), 1 / 3).tolist()
    probs_TE = torch.tensor(probs)
    weight_TK = probs_TE.gather(1, expert_TK)
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, weight_TK)


@pytest.mark.parametrize(
    ("capacity", "tokens", "experts", "rows"),
    [
        (Capacity(factor=1.0), 12, 4, 3),
        (Capacity(factor=1.25), 12, 4, 3),  # 3.75
        (Capacity(factor=1.25, rounding="ceil"), 12, 4, 4),
        (Capacity(factor=2.0), 12, 4, 6),
        (Capacity(factor=0.1, minimum=4), 12, 4, 4),
        (Capacity(factor=2.0, minimum=4), 12, 4, 6),
        (Capacity(factor=0.1, minimum=1), 12, 4, 1),
        (Capacity(factor=1.15), 100, 5, 23),  # exact, though 1.15 x 100 is not in binary
        (Capacity(factor=1.1, rounding="ceil"), 30, 3, 11),
        (Capacity(factor=8 / 3), 3, 8, 1),
        (Capacity(minimum=2), 0, 4, 2),
    ],
)
def test_rows(capacity: Capacity, tokens: int, experts: int, rows: int) -> None:
    assert capacity.rows(tokens, experts) == rows


def test_less_than_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"capacity\.factor=0\.1: gives 0\.3 rows per expert"):
        Capacity(factor=0.1).rows(12, 4)
    with pytest.raises(ValueError, match=r"a factor of 0\.333 or more, or capacity\.minimum=1"):
        Capacity(factor=0.1).rows(12, 4)
    with pytest.raises(ValueError, match="gives 0 rows per expert for 0 tokens and 4 experts"):
        Capacity().rows(0, 4)


@pytest.mark.parametrize(
    ("bad", "allowed"),
    [
        ({"factor": 0.0}, "must be above 0 and at most 1000000000"),
        ({"factor": -1.0}, "must be above 0 and at most 1000000000"),
        ({"factor": float("inf")}, "must be above 0 and at most 1000000000"),
        ({"factor": float("nan")}, "must be above 0 and at most 1000000000"),
        ({"group": 0}, "must be from 1 to 1000000000 tokens"),
        ({"rounding": "up"}, "must be one of floor, ceil"),
        ({"priority": "scores"}, "must be one of choice, position, score, random"),
    ],
)
def test_bad_values_are_refused_in_one_line(bad: dict[str, object], allowed: str) -> None:
    [(key, value)] = bad.items()
    with pytest.raises(ValueError, match="must be") as refusal:
        Capacity(**bad)
    assert str(refusal.value) == f"capacity.{key}={value}: {allowed}"


def test_place_in_queue() -> None:
    queue_A = torch.tensor([1, 0, 1, 1, 0])
    everyone = torch.ones(5, dtype=torch.bool)
    assert place_in_queue(queue_A, everyone).tolist() == [0, 0, 1, 2, 1]
    backwards = torch.tensor([4, 3, 2, 1, 0])
    assert place_in_queue(queue_A, everyone, backwards).tolist() == [2, 1, 1, 0, 0]
    absent = torch.tensor([False, True, True, True, True])
    assert place_in_queue(queue_A, absent)[1:].tolist() == [0, 0, 1, 1]


def test_the_border_is_exact() -> None:
    # Expert 0 is asked by tokens 0, 1, 3; expert 1 by token 2.
    decision = choose([0], [0], [1], [0])
    for rows, kept in [(1, [1, 0, 1, 0]), (2, [1, 1, 1, 0]), (3, [1, 1, 1, 1])]:
        assert limit(decision, rows).kept_A.int().tolist() == kept


def test_rows_already_dropped_use_no_capacity() -> None:
    decision = choose([0], [0], [0])
    first_gone = RoutingDecision(**{**vars(decision), "kept_A": torch.tensor([False, True, True])})
    assert limit(first_gone, 1).kept_A.tolist() == [False, True, False]


def test_groups_have_a_capacity_each() -> None:
    decision = choose([0], [0], [0], [0])
    assert limit(decision, 1, groups(decision, 2)).kept_A.int().tolist() == [1, 0, 1, 0]
    assert groups(decision, None) is None
    assert groups(decision, 4) is None
    with pytest.raises(ValueError, match=r"capacity\.group=3: does not divide 4 tokens"):
        groups(decision, 3)


# Three tokens, two choices each; expert 0 is asked by 0 (first), 1 (second) and 2 (first).
PROBS = [[0.5, 0.3, 0.2], [0.25, 0.6, 0.15], [0.7, 0.1, 0.2]]
CROWD = ([0, 1], [1, 0], [0, 2])


@pytest.mark.parametrize(
    ("priority", "kept_by_expert_0"),
    [
        ("choice", {0, 2}),  # first choices of 0 and 2 before the second choice of 1
        ("position", {0, 1}),  # in the order of the tokens
        ("score", {0, 2}),  # 0.7 and 0.5 before 0.25
    ],
)
def test_priorities(priority: str, kept_by_expert_0: set[int]) -> None:
    decision = choose(*CROWD, probs=PROBS)
    limited = limit(decision, 2, order_A=priority_order(decision, priority))
    served = limited.token_A[limited.kept_A & (limited.expert_A == 0)]
    assert set(served.tolist()) == kept_by_expert_0


def test_score_is_the_probability_where_weights_are_all_alike() -> None:
    probs_TE = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    decision = tokens_choose(
        probs_TE.log(), probs_TE, torch.zeros(3, 1, dtype=torch.long), torch.ones(3, 1)
    )
    kept_A = limit(decision, 2, order_A=priority_order(decision, "score")).kept_A
    assert kept_A.tolist() == [False, True, True]


def test_score_and_choice_differ_where_they_should() -> None:
    decision = choose([0], [0], [0], probs=[[0.4, 0.3, 0.3], [0.9, 0.1, 0.0], [0.6, 0.2, 0.2]])
    by_score = limit(decision, 2, order_A=priority_order(decision, "score"))
    assert by_score.kept_A.tolist() == [False, True, True]
    assert limit(decision, 2).kept_A.tolist() == [True, True, False]


def test_random_priority_is_fair() -> None:
    torch.manual_seed(0)
    decision = choose([0], [0])
    wins = [
        limit(decision, 1, order_A=priority_order(decision, "random")).kept_A[0].item()
        for _ in range(400)
    ]
    assert 150 < sum(wins) < 250


def test_limited_uses_one_capacity_in_training_and_another_after_it() -> None:
    router = Limited(
        4,
        lambda dim: Switch(dim, 2, jitter=0.0),
        Capacity(factor=0.5),
        eval_capacity=Capacity(factor=2.0),
    )
    torch.nn.init.zeros_(router.router.score.weight)  # all ask the first expert
    x_TD = torch.randn(8, 4)
    assert router.train()(x_TD).kept_A.sum() == 2
    assert router.eval()(x_TD).kept_A.sum() == 8
    assert router.num_experts == 2
    always = Limited(4, lambda dim: Switch(dim, 2), Capacity(factor=0.5))
    assert always.eval()(x_TD).kept_A.sum() <= 4


def test_limited_gives_each_group_its_own_capacity() -> None:
    # Groups of 4 tokens and 2 experts: 4 x 1.0 / 2 = 2 rows each, so 4 of 8 that all ask expert 0.
    router = Limited(4, lambda dim: Switch(dim, 2, jitter=0.0), Capacity(factor=1.0, group=4))
    torch.nn.init.zeros_(router.router.score.weight)
    assert router(torch.randn(8, 4)).kept_A.int().tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    with pytest.raises(ValueError, match=r"^capacity\.group=4: does not divide 6 tokens$"):
        router(torch.randn(6, 4))


def test_limited_tells_the_overflow_rule_about_groups() -> None:
    # 2 tokens and 2 experts: 1 row each. In both groups the second token moves to expert 1.
    router = Limited(
        4, lambda dim: Switch(dim, 2, jitter=0.0), Capacity(factor=1.0, group=2), NextExpert
    )
    torch.nn.init.zeros_(router.router.score.weight)
    decision = router(torch.randn(4, 4))
    assert decision.expert_A.tolist() == [0, 1, 0, 1]
    assert decision.kept_A.all()


def test_limited_hands_the_order_of_its_priority_to_the_overflow_rule() -> None:
    # Expert 0 is asked with 0.73, 0.88, 0.95 and takes one, the best; expert 1 takes the next.
    router = Limited(
        2,
        lambda dim: Switch(dim, 3, jitter=0.0),
        Capacity(factor=1.0, priority="score"),
        NextExpert,
    )
    router.router.score.weight.data = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, -9.0]])
    decision = router(torch.tensor([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]))
    assert decision.expert_A.tolist() == [2, 1, 0]
    assert decision.requested_A.tolist() == [0, 0, 0]


class OneRow(nn.Module):
    """A custom router with a limit of its own."""

    rows: int | None = 1

    def lift_capacity(self) -> None:
        self.rows = None


def test_every_router_with_a_capacity_is_asked_to_lift_it() -> None:
    limited, own = Limited(4, lambda dim: Switch(dim, 3), Capacity(minimum=1)), OneRow()
    lift_capacity(nn.ModuleList([limited, own, Switch(4, 3)]))
    assert own.rows is None
    assert limited.capacity.rows(7, 3) == limited.eval_capacity.rows(7, 3) == 7
