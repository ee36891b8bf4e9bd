"""One worked example per router, checkable with a pencil."""

import pytest
import torch

from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import (
    AllExperts,
    Batchwise,
    BiasedTopK,
    GroupLimited,
    Hashed,
    Hierarchical,
    InputDropout,
    NoisyTopK,
    Random,
    Sampled,
    SigmoidTopK,
    SoftmaxTopK,
    Switch,
    Tempered,
    TopK,
)

from .fakes import PROBS_TE, X_TD, rows, with_identity


def test_all_experts() -> None:
    decision = with_identity(AllExperts(3, 3))(X_TD)
    torch.testing.assert_close(decision.probs_TE, PROBS_TE)
    assert rows(decision) == [
        (0, 0, 0.125),
        (1, 0, 0.6),
        (0, 1, 0.25),
        (1, 1, 0.3),
        (0, 2, 0.625),
        (1, 2, 0.1),
    ]


def test_top_k_normalises_after_the_choice() -> None:
    # Token 0 keeps 5 and 2: 5/7 and 2/7. Token 1 keeps 6 and 3: 2/3 and 1/3.
    decision = with_identity(TopK(3, 3, k=2))(X_TD)
    fifth = [round(value, 6) for value in (5 / 7, 2 / 3, 2 / 7, 1 / 3)]
    assert rows(decision) == [
        (0, 2, fifth[0]),
        (1, 0, fifth[1]),
        (0, 1, fifth[2]),
        (1, 1, fifth[3]),
    ]
    torch.testing.assert_close(decision.probs_TE, PROBS_TE)


def test_softmax_top_k_keeps_the_probabilities() -> None:
    decision = with_identity(SoftmaxTopK(3, 3, k=2))(X_TD)
    assert rows(decision) == [(0, 2, 0.625), (1, 0, 0.6), (0, 1, 0.25), (1, 1, 0.3)]


def test_switch_keeps_the_gate_value() -> None:
    decision = with_identity(Switch(3, 3, jitter=0.0))(X_TD)
    assert rows(decision) == [(0, 2, 0.625), (1, 0, 0.6)]
    assert decision.kept_A.all()


def test_switch_gradient_by_hand() -> None:
    # d p_2 / d s = p_2 (1 - p_2) for the own score, - p_2 p_j for another.
    router = with_identity(Switch(3, 3, jitter=0.0))
    x_1D = X_TD[:1].clone().requires_grad_()
    router(x_1D).weight_A.sum().backward()
    expected = torch.tensor([[-5 / 64, -10 / 64, 15 / 64]])
    torch.testing.assert_close(x_1D.grad, expected)


def test_jitter_multiplies_the_input_in_training_only() -> None:
    router = with_identity(Switch(3, 3, jitter=0.1))
    quiet = router.eval()(X_TD).logits_TE
    assert torch.equal(quiet, X_TD)
    torch.manual_seed(0)
    factors = [router.train()(X_TD).logits_TE / X_TD for _ in range(200)]
    seen = torch.stack(factors)[:, X_TD != 0]
    assert seen.min() >= 0.9 - 1e-6
    assert seen.max() <= 1.1 + 1e-6
    assert seen.min() < 0.91
    assert seen.max() > 1.09
    # Multiplied, not added: a score of zero stays zero.
    assert not torch.stack([router(X_TD).logits_TE for _ in range(9)])[:, X_TD == 0].any()


def test_jitter_is_drawn_in_float32_whatever_the_token_is() -> None:
    # bfloat16 has four numbers within 0.01 of one; the factor needs all between them.
    torch.manual_seed(0)
    decision = Switch(1, 1).bfloat16().train()(torch.ones(1000, 1, dtype=torch.bfloat16))
    assert len(decision.logits_TE.unique()) > 900


def test_sampling_follows_the_probabilities_in_training_only() -> None:
    router = with_identity(Sampled(3, 3))
    many_TD = X_TD[:1].expand(8000, 3)
    torch.manual_seed(0)
    decision = router.train()(many_TD)
    share_E = decision.expert_A.bincount(minlength=3) / 8000
    # Three standard errors of a share of 5/8 in 8000 draws are 0.016.
    torch.testing.assert_close(share_E, PROBS_TE[0], atol=0.017, rtol=0)
    torch.testing.assert_close(decision.weight_A, PROBS_TE[0][decision.expert_A])
    assert set(router.eval()(many_TD).expert_A.tolist()) == {2}


def test_group_limited_leaves_out_the_second_best_where_its_group_is_not_the_best() -> None:
    # Probabilities 1/10, 4/10, 3/10, 2/10 in groups of two: the first group has the best expert,
    # so 4/10 and 1/10 are kept and 3/10 is not; the factor of 2 doubles them.
    router = with_identity(GroupLimited(4, 4, k=2, groups=2, kept=1, factor=2.0))
    x_TD = torch.tensor([[1.0, 4.0, 3.0, 2.0]]).log()
    assert rows(router(x_TD)) == [(0, 1, 0.8), (0, 0, 0.2)]
    both = with_identity(GroupLimited(4, 4, k=2, groups=2, kept=2))
    assert rows(both(x_TD)) == [(0, 1, 0.4), (0, 2, 0.3)]


def test_the_bias_of_sigmoid_top_k_affects_the_choice_alone() -> None:
    # Sigmoids 1/2, 4/5, 3/4, 2/3. Without bias 4/5 and 3/4 are kept, over their sum 16/31, 15/31.
    router = with_identity(SigmoidTopK(4, 4, k=2))
    x_TD = torch.tensor([[1.0, 4.0, 3.0, 2.0]]).log()
    assert rows(router(x_TD)) == [(0, 1, round(16 / 31, 6)), (0, 2, round(15 / 31, 6))]
    # A bias of 1 makes the first the best; its weight is still its sigmoid: 5/13 and 8/13.
    router.bias_E[0] = 1.0
    assert rows(router(x_TD)) == [(0, 0, round(5 / 13, 6)), (0, 1, round(8 / 13, 6))]
    # Groups are worth their two best: 1/2 + 4/5 = 1.3 is less than 3/4 + 2/3.
    apart = SigmoidTopK(4, 4, k=2, groups=2, kept=1, factor=2.0, normalised=False)
    assert rows(with_identity(apart)(x_TD)) == [(0, 2, 1.5), (0, 3, round(4 / 3, 6))]


def test_the_bias_of_biased_top_k_affects_the_choice_alone() -> None:
    # Probabilities 1/10, 4/10, 3/10, 2/10. Without bias 4/10 and 3/10 are kept, over their sum.
    router = with_identity(BiasedTopK(4, 4, k=2))
    x_TD = torch.tensor([[1.0, 4.0, 3.0, 2.0]]).log()
    assert rows(router(x_TD)) == [(0, 1, round(4 / 7, 6)), (0, 2, round(3 / 7, 6))]
    # A bias of 0.25 makes the first the second best, 0.35; its weight is 1/10 over 1/10 + 4/10.
    router.bias_E[0] = 0.25
    decision = router(x_TD)
    assert rows(decision) == [(0, 1, 0.8), (0, 0, 0.2)]
    torch.testing.assert_close(decision.probs_TE, torch.tensor([[0.1, 0.4, 0.3, 0.2]]))


def test_the_bias_of_a_choice_stays_exact() -> None:
    router = BiasedTopK(4, 4)
    router.bias_E[0] = 1 + 2**-20
    assert router.bfloat16().bias_E[0].item() == 1 + 2**-20
    assert router.double().bias_E.dtype == torch.float64


def test_hashed_sends_equal_tokens_to_the_expert_of_the_nearest_direction() -> None:
    router = Hashed(3, 3)
    router.direction_ED = torch.eye(3)
    decision = router(torch.cat([X_TD, X_TD]))
    assert rows(decision) == [(0, 2, 1.0), (1, 0, 1.0), (2, 2, 1.0), (3, 0, 1.0)]
    assert torch.equal(decision.probs_TE[0], torch.tensor([0.0, 0.0, 1.0]))


def test_hashed_depends_on_its_own_seed_only() -> None:
    torch.manual_seed(1)
    first = Hashed(8, 4).direction_ED
    torch.manual_seed(2)
    assert torch.equal(Hashed(8, 4).direction_ED, first)
    assert not torch.equal(Hashed(8, 4, seed=1).direction_ED, first)


def test_random_is_uniform_and_ignores_the_token() -> None:
    torch.manual_seed(0)
    decision = Random(3, 4, k=2)(torch.zeros(6000, 3))
    share_E = decision.expert_A.bincount(minlength=4) / 12000
    torch.testing.assert_close(share_E, torch.full((4,), 0.25), atol=0.016, rtol=0)
    assert set(decision.weight_A.tolist()) == {0.5}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopK(3, 3, k=4), "k=4: must lie between 1 and num_experts=3"),
        (lambda: SoftmaxTopK(3, 3, k=0), "k=0: must lie between 1 and num_experts=3"),
        (lambda: Random(3, 3, k=4), "k=4: must lie between 1 and num_experts=3"),
        (lambda: GroupLimited(3, 4, groups=3), "groups=3: must divide num_experts=4"),
        (lambda: SigmoidTopK(3, 4, kept=2), "kept=2: must lie between 1 and groups=1"),
        (lambda: GroupLimited(3, 4, 3, 2), "k=3: the 1 kept groups have fewer experts"),
        (lambda: Switch(3, 0), "num_experts=0: a router needs at least 1 expert"),
        (lambda: Hashed(3, 0), "num_experts=0: a router needs at least 1 expert"),
        (lambda: Switch(3, 3, jitter=1.0), "jitter=1.0: must be at least 0 and below 1"),
        (
            lambda: InputDropout(3, lambda dim: Switch(dim, 3), rate=1.5),
            "rate=1.5: must be at least 0 and below 1",
        ),
        (
            lambda: Tempered(3, lambda dim: Switch(dim, 3), temperature=0.0),
            "temperature=0.0: must be above 0 and finite",
        ),
        (
            lambda: Tempered(3, lambda dim: Switch(dim, 3), temperature=float("inf")),
            "temperature=inf: must be above 0 and finite",
        ),
    ],
)
def test_bad_numbers_are_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ValueError, match=r"must|needs|fewer") as refusal:
        make()
    assert str(refusal.value) == message


@pytest.mark.parametrize("make", [Batchwise, Hierarchical, NoisyTopK])
def test_every_dispatcher_carries_them_out(make) -> None:
    torch.manual_seed(0)
    router, experts, x_TD = make(8, 16), ReluMLP(8, 16, 8), torch.randn(24, 8)
    answers = []
    for dispatcher in DISPATCHERS.values():
        torch.manual_seed(1)
        answers.append(MoELayer(router, experts, dispatcher())(x_TD)[0])
    for other in answers[1:]:
        torch.testing.assert_close(other, answers[0])
