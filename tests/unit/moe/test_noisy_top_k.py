"""Noisy gating: its noise, its start, and what an expert has to exceed."""

import math

import pytest
import torch

from moebench.moe.metrics import load
from moebench.moe.noise import others_kth_best
from moebench.moe.routers import NoisyTopK

from .fakes import X_TD, rows, with_identity


def test_without_noise_it_is_a_softmax_over_the_kept_scores() -> None:
    router = NoisyTopK(3, 3, k=2).eval()
    with_identity(router)
    # Token 0 keeps 5 and 2: 5/7 and 2/7. Token 1 keeps 6 and 3: 2/3 and 1/3.
    assert rows(router(X_TD)) == [
        (0, 2, round(5 / 7, 6)),
        (1, 0, round(2 / 3, 6)),
        (0, 1, round(2 / 7, 6)),
        (1, 1, round(1 / 3, 6)),
    ]


def test_noise_has_the_learned_spread_in_training_only() -> None:
    router = NoisyTopK(3, 3, k=2)
    with_identity(router)
    torch.nn.init.eye_(router.noise.weight)
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
    with_identity(router)
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
