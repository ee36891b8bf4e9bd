"""Overflow by hand: where rows go whose requested expert is full."""

import pytest
import torch

from moebench.moe.capacity.limit import groups, limit, priority_order
from moebench.moe.capacity.overflow import Drop, NextExpert
from moebench.moe.decision import RoutingDecision, tokens_choose


def choose(*experts: list[int], probs: list[list[float]]) -> RoutingDecision:
    """Tokens with these choices, best first; each weighs its probability."""
    expert_TK = torch.tensor(experts)
    probs_TE = torch.tensor(probs)
    weight_TK = probs_TE.gather(1, expert_TK)
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, weight_TK)


def test_next_expert_by_hand() -> None:
    # All four ask expert 0, which takes one. Token 1 prefers 1, tokens 2 and 3 prefer 2; each
    # takes one. Token 3 asks 1, which is full, and is left over.
    probs = [[0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4], [0.5, 0.2, 0.3]]
    decision = choose([0], [0], [0], [0], probs=probs)
    moved = NextExpert()(limit(decision, 1), 1)
    assert moved.expert_A.tolist() == [0, 1, 2, 0]
    assert moved.kept_A.tolist() == [True, True, True, False]
    torch.testing.assert_close(moved.weight_A, torch.tensor([0.9, 0.4, 0.4, 0.5]))
    assert moved.requested_A.tolist() == [0, 0, 0, 0]


def test_next_expert_asks_in_rounds() -> None:
    # Room for two: tokens 2 and 3 find it at their second choice, token 4 only at its third.
    probs = [[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.5, 0.4, 0.1], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1]]
    decision = choose([0], [0], [0], [0], [0], probs=probs)
    limited = limit(decision, 2)
    one = NextExpert(rounds=1)(limited, 2)
    assert one.kept_A.tolist() == [True, True, True, True, False]
    assert one.expert_A.tolist()[:4] == [0, 0, 1, 1]
    two = NextExpert(rounds=2)(limited, 2)
    assert two.kept_A.all()
    assert two.expert_A.tolist() == [0, 0, 1, 1, 2]


def test_next_expert_with_two_choices_never_doubles_an_expert() -> None:
    # Both tokens hold 0 and 1, one row each: token 1 loses both and may only get expert 2 once.
    probs = [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]
    decision = choose([0, 1], [0, 1], probs=probs)
    moved = NextExpert()(limit(decision, 1), 1)
    kept = [
        (token, expert)
        for token, expert, ok in zip(
            moved.token_A.tolist(), moved.expert_A.tolist(), moved.kept_A.tolist(), strict=True
        )
        if ok
    ]
    assert sorted(kept) == [(0, 0), (0, 1), (1, 2)]


def test_next_expert_stays_in_its_group() -> None:
    # Group 0 (tokens 0, 1) overflows at expert 0; the room of group 1 at expert 1 is not its own.
    probs = [[0.6, 0.4, 0.0], [0.6, 0.4, 0.0], [0.0, 0.9, 0.1], [0.9, 0.1, 0.0]]
    decision = choose([0], [0], [1], [0], probs=probs)
    group_A = groups(decision, 2)
    moved = NextExpert()(limit(decision, 1, group_A), 1, group_A)
    assert moved.expert_A.tolist() == [0, 1, 1, 0]
    assert moved.kept_A.all()


def test_next_expert_keeps_the_order_of_priority() -> None:
    # By score 2 sits at expert 0; then 1 (0.6) comes before 0 (0.5) at expert 1, which takes one.
    probs = [[0.5, 0.4, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0]]
    decision = choose([0], [0], [0], probs=probs)
    order_A = priority_order(decision, "score")
    assert order_A.tolist() == [2, 1, 0]
    moved = NextExpert()(limit(decision, 1, order_A=order_A), 1, order_A=order_A)
    assert moved.expert_A.tolist() == [2, 1, 0]
    torch.testing.assert_close(moved.weight_A, torch.tensor([0.1, 0.3, 0.9]))


def test_next_expert_moves_one_row_of_a_token_at_a_time() -> None:
    # Token 1 loses both rows: the first gets expert 2, the second a round later expert 3.
    probs = [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]]
    moved = NextExpert()(limit(choose([0, 1], [0, 1], probs=probs), 1), 1)
    assert moved.token_A.tolist() == [0, 1, 0, 1]
    assert moved.expert_A.tolist() == [0, 2, 1, 3]
    torch.testing.assert_close(moved.weight_A, torch.tensor([0.4, 0.2, 0.3, 0.1]))
    # With room for two it still gets one row of expert 2 and one of 3, not two of 2.
    crowd = choose([0, 1], [0, 1], [0, 1], probs=[*probs, probs[0]])
    assert NextExpert()(limit(crowd, 2), 2).expert_A.tolist() == [0, 0, 2, 1, 1, 3]
    # With a third token all three wish for 2, then 3: 2 goes to the lost first choice of token 2,
    # 3 to the second choice of token 0, the first in the queue.
    three = choose([0, 1], [1, 0], [0, 1], probs=[*probs, probs[0]])
    moved = NextExpert()(limit(three, 1), 1)
    assert moved.expert_A.tolist() == [0, 1, 2, 3, 0, 1]
    assert moved.kept_A.tolist() == [True, True, True, True, False, False]


def test_next_expert_serves_the_rows_of_a_token_in_the_order_of_all() -> None:
    # From the last row to the first: token 1 sits, and token 0 asks for its second choice first.
    probs = [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]]
    order_A = torch.tensor([3, 2, 1, 0])
    limited = limit(choose([0, 1], [0, 1], probs=probs), 1, order_A=order_A)
    assert limited.kept_A.tolist() == [False, True, False, True]
    assert NextExpert()(limited, 1, order_A=order_A).expert_A.tolist() == [3, 0, 2, 1]


def test_next_expert_records_the_first_choice() -> None:
    # Limits may be nested: what the token asked at first is what losses count.
    probs = [[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]]
    decision = choose([0], [0], probs=probs)
    once = NextExpert(rounds=1)(limit(decision, 1), 1)
    assert once.expert_A.tolist() == [0, 1]
    again = NextExpert()(limit(once, 1), 1)
    assert again.requested_A.tolist() == [0, 0]


def test_a_moved_row_carries_the_gradient_of_its_new_probability() -> None:
    probs_TE = torch.tensor([[0.6, 0.4], [0.7, 0.3]], requires_grad=True)
    expert_T1 = torch.zeros(2, 1, dtype=torch.int64)
    decision = tokens_choose(probs_TE, probs_TE, expert_T1, probs_TE[:, :1])
    NextExpert()(limit(decision, 1), 1).weight_A.sum().backward()
    assert probs_TE.grad.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_drop_changes_nothing() -> None:
    limited = limit(choose([0], [0], probs=[[0.6, 0.4], [0.6, 0.4]]), 1)
    assert Drop()(limited, 1) is limited


def test_rounds_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="rounds=0: must be at least 1"):
        NextExpert(rounds=0)
