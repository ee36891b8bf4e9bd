"""One worked example per router, checkable with a pencil.

Scores are chosen as logarithms, so that the softmax is a division: ln 1, ln 2, ln 5 give
1/8, 2/8, 5/8.
"""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from moebench.moe.losses import Load
from moebench.moe.routers import (
    ROUTERS,
    AllExperts,
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

# Two tokens of width 3; a weight of the identity makes the token its own scores.
X_TD = torch.tensor([[0.0, math.log(2), math.log(5)], [math.log(6), math.log(3), 0.0]])
PROBS_TE = torch.tensor([[1 / 8, 2 / 8, 5 / 8], [6 / 10, 3 / 10, 1 / 10]])


def with_identity(router):
    """Set the scores of a router to the token itself."""
    torch.nn.init.eye_(router.score.weight)
    return router


def rows(decision) -> list[tuple[int, int, float]]:
    """Token, expert and weight of each row, in order."""
    weights = [round(weight, 6) for weight in decision.weight_A.tolist()]
    return list(zip(decision.token_A.tolist(), decision.expert_A.tolist(), weights, strict=True))


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


def test_top_1_after_the_choice_has_weight_one_and_no_gradient() -> None:
    router = with_identity(TopK(3, 3, k=1))
    decision = router(X_TD)
    assert rows(decision) == [(0, 2, 1.0), (1, 0, 1.0)]
    decision.weight_A.sum().backward()
    assert not router.score.weight.grad.any()


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


def test_input_dropout_hides_features_from_the_router_in_training_only() -> None:
    wrapper = InputDropout(3, lambda dim: with_identity(Switch(dim, 3, jitter=0.0)), rate=0.5)
    assert torch.equal(wrapper.eval()(X_TD).logits_TE, X_TD)
    torch.manual_seed(0)
    logits = wrapper.train()(X_TD.expand(2, 3)).logits_TE
    # What is left is doubled, so that its mean stays.
    assert all(
        value in (0.0, *(2 * X_TD).flatten().tolist()) for value in logits.flatten().tolist()
    )


def test_a_temperature_of_a_half_squares_the_probabilities() -> None:
    wrapper = Tempered(3, lambda dim: with_identity(Switch(dim, 3, jitter=0.0)), temperature=0.5)
    decision = wrapper(X_TD)
    squares_TE = PROBS_TE.square()
    torch.testing.assert_close(decision.probs_TE, squares_TE / squares_TE.sum(-1, keepdim=True))
    assert decision.expert_A.tolist() == [2, 0]


def test_a_temperature_divides_scores_and_their_noise_once() -> None:
    torch.manual_seed(0)
    wrapper = Tempered(8, lambda dim: NoisyTopK(dim, 4, k=2), temperature=2.0).train()
    router, x_TD = wrapper.router, torch.randn(50, 8)
    torch.nn.init.normal_(router.score.weight)
    torch.nn.init.normal_(router.noise.weight)
    torch.manual_seed(1)
    noise_TE = torch.randn(50, 4)
    scores_TE = x_TD @ router.score.weight.T + softplus(x_TD @ router.noise.weight.T) * noise_TE
    best_TK, expert_TK = scores_TE.topk(2)
    torch.manual_seed(1)
    decision = wrapper(x_TD)
    assert torch.equal(decision.expert_A, expert_TK.T.flatten())
    torch.testing.assert_close(decision.weight_A, (best_TK / 2).softmax(-1).T.flatten())
    torch.testing.assert_close(decision.probs_TE, (scores_TE / 2).softmax(-1))
    torch.testing.assert_close(Load()(decision), load_of_plain(router, x_TD))


def load_of_plain(router: NoisyTopK, x_TD: Tensor) -> Tensor:
    """The load loss without a temperature: it does not affect the choice."""
    plain = NoisyTopK(8, 4, k=2).train()
    plain.load_state_dict(router.state_dict())
    torch.manual_seed(1)
    loss: Tensor = Load()(plain(x_TD))
    return loss


@pytest.mark.parametrize("name", sorted(set(ROUTERS) - {"hashed", "random", "hierarchical"}))
@pytest.mark.parametrize("train", [True, False])
def test_a_temperature_divides_the_scores_of_every_router(name: str, train: bool) -> None:
    torch.manual_seed(0)
    wrapper = Tempered(8, lambda dim: ROUTERS[name](dim, 4), temperature=0.25).train(train)
    plain = ROUTERS[name](8, 4).train(train)
    for parameter in wrapper.parameters():
        torch.nn.init.normal_(parameter)
    plain.load_state_dict(wrapper.router.state_dict())
    x_TD, found = torch.randn(20, 8), []
    for router in (wrapper, plain):
        torch.manual_seed(1)
        found.append(router(x_TD).logits_TE)
    torch.testing.assert_close(found[0], found[1] / 0.25)


def test_temperatures_multiply_and_reach_both_levels() -> None:
    def twice(dim: int) -> Tempered:
        return Tempered(dim, lambda width: with_identity(Switch(width, 3)), temperature=2.0)

    tempered = Tempered(3, twice, temperature=0.5).eval()
    torch.testing.assert_close(tempered(X_TD).probs_TE, PROBS_TE)
    levels = Tempered(8, lambda dim: Hierarchical(dim, 16), temperature=3.0)
    parts = [levels.router.primary, *levels.router.secondary]
    assert {part.score.temperature for part in parts} == {3.0}


@pytest.mark.parametrize("router", [Hashed, Random])
def test_a_router_without_scores_has_no_temperature(router: type[nn.Module]) -> None:
    message = rf"^router={router.__name__}: has no Score for a temperature to divide$"
    with pytest.raises(ValueError, match=message):
        Tempered(8, lambda dim: router(dim, 4), temperature=2.0)


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
