"""GShard's gate with a pencil: the weights, the second expert by chance, capacity in groups."""

import pytest
import torch

from moebench.moe import Capacity, Limited
from moebench.moe.routers import GShard

from .fakes import X_TD, rows, with_identity

# Token 0 has probabilities 1/8, 2/8 and 5/8, and normalised 5/7 and 2/7; token 1 has 6/10, 3/10 and
# 1/10, and normalised 2/3 and 1/3. Second experts are drawn with probabilities 4/7 and 2/3.
FIRST = [(0, 2, round(5 / 7, 6)), (1, 0, round(2 / 3, 6))]
SECOND = [(0, 1, round(2 / 7, 6)), (1, 1, round(1 / 3, 6))]


def drawing(monkeypatch: pytest.MonkeyPatch, *numbers: float) -> None:
    """Let the gate draw these numbers."""
    monkeypatch.setattr(torch, "rand_like", lambda like: like.new_tensor(numbers))


def test_outside_training_both_experts_answer() -> None:
    assert rows(with_identity(GShard(3, 3)).eval()(X_TD)) == FIRST + SECOND


@pytest.mark.parametrize(
    ("numbers", "second"),
    [((0.57, 0.66), SECOND), ((0.58, 0.66), SECOND[1:]), ((0.58, 0.67), [])],
)
def test_a_second_expert_is_dispatched_where_twice_its_weight_exceeds_a_random_number(
    numbers: tuple[float, ...], second: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing(monkeypatch, *numbers)
    # The first expert keeps its weight, whether or not there is a second.
    assert rows(with_identity(GShard(3, 3)).train()(X_TD)) == FIRST + second


def test_equal_scores_always_dispatch_both() -> None:
    # Twice 1/2 exceeds every random number below 1.
    decision = with_identity(GShard(2, 2)).train()(torch.zeros(1000, 2))
    assert decision.token_A.numel() == 2000


def limited(group: int | None) -> Limited:
    """The gate with two experts, at the paper's capacity of 2N / (GE)."""
    router = Limited(2, lambda dim: GShard(dim, 2), Capacity(factor=2.0, group=group))
    with_identity(router.router)
    return router.eval()


def test_first_choices_come_before_second_ones_in_each_group() -> None:
    # Four tokens in two groups, so each expert takes 2 x 4 / (2 x 2) = 2 rows from each group: in
    # the first both tokens prefer expert 0 and fill it; second choices fill expert 1.
    x_TD = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert limited(group=2)(x_TD).kept_A.all()
    # With three experts and capacity 2 x 4 / (2 x 3), rounded down to one row, the second token of
    # the first group loses both: expert 0 to the first token, expert 1 to its second choice.
    router = Limited(3, lambda dim: GShard(dim, 3), Capacity(factor=2.0, group=2))
    with_identity(router.router)
    x_TD = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [1.0, 2.0, 0.0]])
    decision = router.eval()(x_TD)
    lost = {row[:2] for row, kept in zip(rows(decision), decision.kept_A, strict=True) if not kept}
    # In the second group each token's second choice is the other's first, which is full.
    assert lost == {(1, 0), (1, 1), (2, 1), (3, 0)}


def test_an_expert_that_was_not_drawn_uses_no_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    # One row an expert for three tokens that prefer experts 0, 1, 2 and have 3 second.
    router = Limited(4, lambda dim: GShard(dim, 4), Capacity(factor=2.0, group=3))
    with_identity(router.router)
    x_TD = torch.eye(4)[:3] * 2 + torch.eye(4)[3]
    drawing(monkeypatch, 0.9, 0.0, 0.0)
    decision = router.train()(x_TD)
    assert [row[:2] for row in rows(decision)][3:] == [(1, 3), (2, 3)]
    assert decision.kept_A.tolist() == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GShard(3, 1), "num_experts=1: the gate needs at least 2 experts"),
        (lambda: limited(group=3)(torch.zeros(4, 2)), "capacity.group=3: does not divide 4 tokens"),
        (
            lambda: Limited(8, lambda dim: GShard(dim, 8), Capacity(2.0, group=2))(
                torch.zeros(4, 8)
            ),
            "capacity.factor=2.0: gives 0.5 rows per expert for 2 tokens and 8 experts; "
            "at least 1 is needed",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)
