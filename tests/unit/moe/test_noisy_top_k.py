"""Gating of 2017: noisy, on two levels, and strictly balanced; examples checkable with a pencil."""

import math

import pytest
import torch
from torch.nn.functional import softplus

from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import LOSSES
from moebench.moe.metrics import METRICS, load
from moebench.moe.noise import others_kth_best
from moebench.moe.routers import Batchwise, Hierarchical, NoisyTopK, TopK

# A weight of the identity makes the token its own scores: 1/8, 2/8, 5/8 and 6/10, 3/10, 1/10.
X_TD = torch.tensor([[0.0, math.log(2), math.log(5)], [math.log(6), math.log(3), 0.0]])


def identity(linear) -> None:
    torch.nn.init.eye_(linear.weight)


def rows(decision) -> list[tuple[int, int, float]]:
    """Token, expert and weight of each row, in order."""
    weights = [round(weight, 6) for weight in decision.weight_A.tolist()]
    return list(zip(decision.token_A.tolist(), decision.expert_A.tolist(), weights, strict=True))


def test_without_noise_it_is_a_softmax_over_the_kept_scores() -> None:
    router = NoisyTopK(3, 3, k=2).eval()
    identity(router.score)
    # Token 0 keeps 5 and 2: 5/7 and 2/7. Token 1 keeps 6 and 3: 2/3 and 1/3.
    assert rows(router(X_TD)) == [
        (0, 2, round(5 / 7, 6)),
        (1, 0, round(2 / 3, 6)),
        (0, 1, round(2 / 7, 6)),
        (1, 1, round(1 / 3, 6)),
    ]


def test_noise_has_the_learned_spread_in_training_only() -> None:
    router = NoisyTopK(3, 3, k=2)
    identity(router.score)
    identity(router.noise)
    many_TD = X_TD[:1].expand(40_000, 3)
    torch.manual_seed(0)
    decision = router.train()(many_TD)
    noise_TE = decision.logits_TE - X_TD[:1]
    # softplus(ln n) = ln(1 + n); a deviation from 40,000 draws is good to 0.35%, a mean to 0.5%.
    expected = torch.tensor([math.log(2), math.log(3), math.log(6)])
    torch.testing.assert_close(noise_TE.std(dim=0), expected, rtol=0.015, atol=0)
    torch.testing.assert_close(noise_TE.mean(dim=0), torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(decision.spread_TE[0], expected)
    assert torch.equal(decision.clean_TE, router.eval()(many_TD).logits_TE)


def test_both_matrices_start_at_zero_and_load_is_uniform() -> None:
    router = NoisyTopK(8, 4, k=2)
    assert not any(parameter.any() for parameter in router.parameters())
    torch.manual_seed(0)
    share_E = load(router.train()(torch.randn(6000, 8)))
    # Two of four in 6000 tokens: three standard errors of a share are 0.0097.
    torch.testing.assert_close(share_E, torch.full((4,), 0.25), atol=0.0097, rtol=0)


def test_what_an_expert_has_to_exceed() -> None:
    router = NoisyTopK(4, 4, k=2).eval()
    identity(router.score)
    # Best two are 4 and 3. Without 4 the second best is 2, without 3 too; without another it is 3.
    decision = router(torch.tensor([[1.0, 4.0, 2.0, 3.0]]))
    assert others_kth_best(decision).tolist() == [[3.0, 2.0, 3.0, 2.0]]
    # A tie of second and third: whoever of the three is taken away, the second best is 3.
    tied = router(torch.tensor([[3.0, 4.0, 1.0, 3.0]]))
    assert others_kth_best(tied).tolist() == [[3.0, 3.0, 3.0, 3.0]]


@pytest.mark.parametrize("k", [0, 4, 5])
def test_k_must_be_below_the_number_of_experts(k: int) -> None:
    with pytest.raises(ValueError, match=rf"k={k}: must lie between 1 and num_experts - 1 = 3"):
        NoisyTopK(8, 4, k=k)


def fixed(dim: int, count: int) -> TopK:
    """The best of its scores, which are the first features of the token."""
    router = TopK(dim, count, k=count)
    identity(router.score)
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
        identity(router.score)
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


def test_every_expert_takes_its_best_tokens_of_the_batch() -> None:
    router = Batchwise(2, 2, k=1).train()
    identity(router.score)
    # Four tokens, two experts, one a token: two each. Expert 0 likes tokens 0 and 1 best.
    x_TD = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    decision = router(x_TD)
    assert rows(decision) == [(0, 0, 1.0), (1, 0, 1.0), (2, 1, 1.0), (3, 1, 1.0)]


def test_a_token_may_get_several_experts_or_none() -> None:
    router = Batchwise(3, 3, k=1).train()
    identity(router.score)
    # One token for each expert: the first is the likeliest of experts 0 and 1, the second of 2.
    x_TD = torch.tensor([[math.log(4), math.log(4), 0.0], [0.0, 0.0, math.log(2)], [0.0, 0.0, 0.0]])
    x_TD.requires_grad_()
    decision = router(x_TD)
    assert rows(decision) == [(0, 0, 0.5), (0, 1, 0.5), (1, 2, 1.0)]
    answer = MoELayer(router, ReluMLP(3, 3, 8), DISPATCHERS["grouped"]())(x_TD)[0]
    assert not answer[2].any()
    assert torch.autograd.grad(answer.sum(), x_TD)[0].isfinite().all()


def test_thresholds_decide_outside_training() -> None:
    router = Batchwise(3, 3, k=1).eval()
    identity(router.score)
    torch.nn.init.constant_(router.threshold_E, 0.28)
    # 1/8, 2/8, 5/8: the last alone; 6/10, 3/10, 1/10: the first two, 2/3 and 1/3.
    third = [round(value, 6) for value in (2 / 3, 1 / 3)]
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, third[0]), (1, 1, third[1])]
    assert rows(router(X_TD[:1])) == [(0, 2, 1.0)], "alone as in a batch"


def test_tokens_that_no_expert_takes_give_finite_numbers() -> None:
    torch.manual_seed(0)
    router = Batchwise(8, 4, k=1).eval()
    torch.nn.init.constant_(router.threshold_E, 1.0)
    x_TD = torch.randn(12, 8, requires_grad=True)
    for dispatcher in DISPATCHERS.values():
        # Where a gradient is no number on the way, this raises.
        with torch.autograd.detect_anomaly(check_nan=True):
            answer, decision = MoELayer(router, ReluMLP(8, 4, 8), dispatcher())(x_TD)
            (answer.sum() + decision.weight_A.sum() + x_TD.sum()).backward()
        assert not decision.token_A.numel()
        assert not answer.any()
        assert x_TD.grad.isfinite().all()
    assert all(metric(decision).isfinite() for metric in METRICS.values())
    assert METRICS["dropped"](decision) == 0
    assert METRICS["left_behind"](decision) == 1
    assert all(LOSSES[name]()(decision).isfinite() for name in LOSSES if name != "load")


def test_a_token_that_no_expert_takes_in_training_gives_finite_numbers() -> None:
    router = Batchwise(3, 3, k=1).train()
    identity(router.score)
    x_TD = torch.tensor([[4.0, 4.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
    with torch.autograd.detect_anomaly(check_nan=True):
        decision = router(x_TD)
        decision.weight_A.square().sum().backward()
    assert not (decision.token_A == 2).any()
    assert not x_TD.grad[2].any()
    assert x_TD.grad[0].isfinite().all()


@pytest.mark.parametrize("num_tokens", [16, 24, 25])
def test_loads_are_equal_however_uneven_the_scores(num_tokens: int) -> None:
    torch.manual_seed(0)
    router = Batchwise(8, 8, k=2).train()
    torch.nn.init.normal_(router.score.weight, std=3.0)
    decision = router(torch.randn(num_tokens, 8) + 1.0)
    counts = decision.expert_A.bincount(minlength=8)
    assert counts.tolist() == [2 * num_tokens // 8] * 8


def test_a_batch_too_small_for_the_experts_is_refused() -> None:
    message = r"tokens=7: fewer than num_experts=8; .* so that each expert gets k"
    with pytest.raises(ValueError, match=message):
        Batchwise(8, 8, k=2).train()(torch.randn(7, 8))


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


def test_spread_at_zero_start_is_ln_2() -> None:
    decision = NoisyTopK(8, 4).train()(torch.randn(5, 8))
    torch.testing.assert_close(decision.spread_TE, softplus(torch.zeros(5, 4)))
    assert decision.spread_TE[0, 0].item() == pytest.approx(math.log(2))
