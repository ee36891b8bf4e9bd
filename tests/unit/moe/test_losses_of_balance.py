"""Losses of 2017 on importance, load and thresholds: by hand, and against redrawn noise."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import softplus

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import tokens_choose
from moebench.moe.losses import Importance, Load, ThresholdGap
from moebench.moe.losses.importance import importance
from moebench.moe.losses.load import expected_load, selection_probability
from moebench.moe.noise import NoisyDecision
from moebench.moe.routers import Hierarchical, NoisyTopK, TopK


def decide(experts: list[list[int]], weights: list[list[float]], num_experts: int):
    zero_TE = torch.zeros(len(experts), num_experts)
    return tokens_choose(zero_TE, zero_TE.softmax(-1), torch.tensor(experts), torch.tensor(weights))


def test_importance_by_hand() -> None:
    # Sums 0.75 + 0.5 = 1.25, 0.25 and 0.5; mean 2/3; variance (0.34028 + 0.17361 + 0.02778) / 3.
    decision = decide([[0, 1], [0, 2]], [[0.75, 0.25], [0.5, 0.5]], 3)
    torch.testing.assert_close(importance(decision), torch.tensor([1.25, 0.25, 0.5]))
    variance = ((1.25 - 2 / 3) ** 2 + (0.25 - 2 / 3) ** 2 + (0.5 - 2 / 3) ** 2) / 3
    assert Importance()(decision).item() == pytest.approx(variance / (4 / 9))


@pytest.mark.parametrize("num_experts", [2, 5])
def test_importance_is_zero_when_even_and_e_minus_one_when_collapsed(num_experts: int) -> None:
    even = decide([[e] for e in range(num_experts)], [[1.0]] * num_experts, num_experts)
    assert Importance()(even).item() == 0
    collapsed = decide([[0]] * 6, [[1.0]] * 6, num_experts)
    assert Importance()(collapsed).item() == pytest.approx(num_experts - 1)


def noisy(clean, noise, spread, k: int) -> NoisyDecision:
    clean_TE, spread_TE = torch.tensor(clean), torch.tensor(spread)
    logits_TE = clean_TE + torch.tensor(noise)
    top_TK, expert_TK = logits_TE.topk(k)
    chosen = tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, top_TK.softmax(-1))
    return NoisyDecision(**vars(chosen), clean_TE=clean_TE, spread_TE=spread_TE, k=k)


def test_chance_by_hand() -> None:
    # Noisy scores 2.5, 1, 0 and one choice. Expert 0 must exceed 1: it is 1 ahead at spread 1, and
    # Phi(1) = 0.8413. Expert 1 must exceed 2.5: it is 1 behind at spread 0.5, Phi(-2) = 0.0228.
    # Expert 2 is 2.5 behind at spread 2.5: Phi(-1) = 0.1587.
    decision = noisy([[2.0, 1.5, 0.0]], [[0.5, -0.5, 0.0]], [[1.0, 0.5, 2.5]], k=1)
    expected = torch.tensor([[0.8413447, 0.0227501, 0.1586553]])
    torch.testing.assert_close(selection_probability(decision), expected)
    load_E = expected[0]
    squared = ((load_E - load_E.mean()) ** 2).mean() / load_E.mean() ** 2
    torch.testing.assert_close(Load()(decision), squared)


def redrawn_share(router: NoisyTopK, x_1D: torch.Tensor, decision, draws: int) -> torch.Tensor:
    """How often each expert is among the k best when its own noise alone is drawn again."""
    shares = []
    for expert in range(router.num_experts):
        noisy_NE = decision.logits_TE.repeat(draws, 1)
        noise_N = torch.randn(draws, dtype=x_1D.dtype)
        own_N = router.score(x_1D)[0, expert] + softplus(router.noise(x_1D))[0, expert] * noise_N
        noisy_NE[:, expert] = own_N
        best_NK = noisy_NE.topk(router.k).indices
        shares.append((best_NK == expert).any(dim=-1).double().mean())
    return torch.stack(shares)


@pytest.mark.parametrize("seed", range(3))
def test_the_estimator_agrees_with_redrawn_noise(seed: int) -> None:
    """1e5 redraws a token and expert; three standard errors are at most 0.005."""
    torch.manual_seed(seed)
    router = NoisyTopK(8, 8, k=2).double().train()
    for parameter in router.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x_1D = torch.randn(1, 8, dtype=torch.float64)
    decision = router(x_1D)
    share_E = redrawn_share(router, x_1D, decision, draws=100_000)
    torch.testing.assert_close(selection_probability(decision)[0], share_E, atol=0.01, rtol=0)


def test_the_load_loss_moves_both_matrices() -> None:
    torch.manual_seed(0)
    router = NoisyTopK(8, 4).train()
    Load()(router(torch.randn(20, 8))).backward()
    assert router.score.weight.grad.any()
    assert router.noise.weight.grad.any()


@pytest.mark.parametrize("scale", [-1e4, 0.0, 1e4])
def test_zero_spread_gives_finite_numbers(scale: float) -> None:
    router = NoisyTopK(8, 4).train()
    torch.nn.init.constant_(router.noise.weight, scale)
    torch.nn.init.eye_(router.score.weight)
    x_TD = torch.rand(6, 8).requires_grad_()
    value = Load()(router(x_TD))
    gradients = torch.autograd.grad(value, [x_TD, *router.parameters()])
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_two_levels_expect_the_product() -> None:
    torch.manual_seed(0)
    router = Hierarchical(8, 16, 4).train()
    decision = router(torch.randn(50, 8))
    load_E = expected_load(decision)
    group_load = selection_probability(decision.primary).sum(0)
    for group in range(4):
        inner = decision.secondary[group]
        expected = group_load[group] * selection_probability(inner).sum(0) / len(inner.logits_TE)
        torch.testing.assert_close(load_E[4 * group : 4 * group + 4], expected)
    importance_E = importance(decision)
    first = decision.token_of[1]
    gate_TE = torch.zeros(50, 4).index_put(
        (decision.primary.token_A, decision.primary.expert_A), decision.primary.weight_A
    )
    inner = decision.secondary[1]
    by_hand = sum(
        gate_TE[first[token], 1] * weight
        for token, expert, weight in zip(inner.token_A, inner.expert_A, inner.weight_A, strict=True)
        if expert == 2
    )
    torch.testing.assert_close(importance_E[6], by_hand)


def test_an_empty_group_expects_no_load_and_gives_finite_numbers() -> None:
    router = Hierarchical(8, 16, 4).train()
    torch.nn.init.constant_(router.primary.score.weight[3], -100.0)
    x_TD = torch.rand(5, 8).requires_grad_()
    decision = router(x_TD)
    assert decision.secondary[3].num_tokens == 0
    value = Load()(decision) + Importance()(decision)
    value.backward()
    assert value.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in router.parameters())


def test_a_router_without_noise_has_no_expected_load() -> None:
    with pytest.raises(ValueError, match=r"losses.Load: needs a router with noise.*Routing"):
        Load()(TopK(8, 4)(torch.randn(3, 8)))


def balanced(threshold: list[float], taken: list[tuple[int, int]]) -> BalancedDecision:
    probs_TE = torch.tensor([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    token_A, expert_A = torch.tensor(taken).T
    plain = tokens_choose(probs_TE.log(), probs_TE, expert_A[:, None], torch.ones(len(taken), 1))
    threshold_E = torch.tensor(threshold, requires_grad=True)
    return BalancedDecision(**{**vars(plain), "token_A": token_A}, threshold_E=threshold_E)


def test_thresholds_that_agree_with_the_batch_cost_nothing() -> None:
    decision = balanced([0.6, 0.6], [(0, 0), (2, 1)])
    assert ThresholdGap()(decision).item() == 0


def test_thresholds_that_disagree_pay_the_distance() -> None:
    # Expert 0 takes tokens 0 and 1 of the batch, by threshold 0 alone: 0.6 - 0.5 for token 1.
    # Expert 1 takes token 2 of the batch, by threshold also token 1: 0.5 - 0.4. Three tokens.
    decision = balanced([0.6, 0.4], [(0, 0), (1, 0), (2, 1)])
    value = ThresholdGap()(decision)
    assert value.item() == pytest.approx((0.1 + 0.1) / 3)
    value.backward()
    # Down for the expert whose threshold takes too few, up for the one that takes too many.
    torch.testing.assert_close(decision.threshold_E.grad, torch.tensor([1 / 3, -1 / 3]))


def test_thresholds_need_thresholds() -> None:
    with pytest.raises(ValueError, match=r"losses.ThresholdGap: needs the router Batchwise"):
        ThresholdGap()(TopK(8, 4)(torch.randn(3, 8)))


def test_losses_count_requests() -> None:
    decision = noisy([[2.0, 1.5, 0.0]], [[0.5, -0.5, 0.0]], [[1.0, 0.5, 2.5]], k=1)
    dropped = replace(decision, kept_A=torch.zeros(1, dtype=torch.bool))
    for loss in (Importance(), Load()):
        assert torch.equal(loss(dropped), loss(decision))
    assert math.isclose(Importance()(decision).item(), 2.0, rel_tol=1e-6)
