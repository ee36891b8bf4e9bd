"""A multiplicative bias, checkable with a pencil."""

import pytest
import torch

from moebench.moe.routers import ScaledTopK

from .fakes import rows, with_identity

X_TD = torch.tensor([[1.0, 4.0, 3.0, 2.0]]).log()  # sigmoids 1/2, 4/5, 3/4, 2/3


def test_the_bias_multiplies_the_choice_and_not_the_weights() -> None:
    router = with_identity(ScaledTopK(4, 4, k=2))
    assert rows(router(X_TD)) == [(0, 1, round(16 / 31, 6)), (0, 2, round(15 / 31, 6))]
    # Products 1/4, 1/5, 3/16 and 1/6; sums would put the second first, by 1.05 to 1.
    router.bias_E.copy_(torch.tensor([0.5, 0.25, 0.25, 0.25]))
    decision = router(X_TD)
    assert rows(decision) == [(0, 0, round(5 / 13, 6)), (0, 1, round(8 / 13, 6))]
    sigmoid_TE = X_TD.sigmoid()
    torch.testing.assert_close(decision.probs_TE, sigmoid_TE / sigmoid_TE.sum())
    plain = with_identity(ScaledTopK(4, 4, k=2, normalised=False))
    assert rows(plain(X_TD)) == [(0, 1, 0.8), (0, 2, 0.75)]


def test_the_bias_stays_exact_and_has_no_gradient() -> None:
    router = ScaledTopK(4, 4)
    router.bias_E[0] = 1 + 2**-20
    assert router.bfloat16().bias_E[0].item() == 1 + 2**-20
    assert "bias_E" not in dict(router.named_parameters())


def test_too_many_experts_are_refused() -> None:
    with pytest.raises(ValueError, match="k=5: must lie between 1 and num_experts=4"):
        ScaledTopK(4, 4, k=5)
