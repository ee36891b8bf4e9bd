"""Strictly balanced gating: experts take their best tokens of the batch, or those above a bar."""

import math

import pytest
import torch

from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import LOSSES
from moebench.moe.metrics import METRICS
from moebench.moe.routers import Batchwise

from .fakes import X_TD, rows, with_identity


def test_every_expert_takes_its_best_tokens_of_the_batch() -> None:
    router = Batchwise(2, 2, k=1).train()
    with_identity(router)
    # Four tokens, two experts, one a token: two each. Expert 0 likes tokens 0 and 1 best.
    x_TD = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    decision = router(x_TD)
    assert rows(decision) == [(0, 0, 1.0), (1, 0, 1.0), (2, 1, 1.0), (3, 1, 1.0)]


def test_a_token_may_get_several_experts_or_none() -> None:
    router = Batchwise(3, 3, k=1).train()
    with_identity(router)
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
    with_identity(router)
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
    of_others = ("load", "over_devices")
    arguments = {"device_balance": [2], "sequence_balance": [12]}
    for name in LOSSES.keys() - of_others:
        assert LOSSES[name](*arguments.get(name, []))(decision).isfinite(), name


def test_a_token_that_no_expert_takes_in_training_gives_finite_numbers() -> None:
    router = Batchwise(3, 3, k=1).train()
    with_identity(router)
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
