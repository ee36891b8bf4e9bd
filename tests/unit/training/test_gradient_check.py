"""Step 1 of training: a router that cannot learn is named, with the reason."""

import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from moebench.models.encoder_decoder import Decoder
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Limited, Sparse
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import LoadBalance, ThresholdGap, ZLoss
from moebench.moe.routers import (
    ROUTERS,
    WRAPPERS,
    Batchwise,
    Hashed,
    Hierarchical,
    NoisyTopK,
    SigmoidTopK,
    Switch,
    TopK,
)
from moebench.testing.parts import make_router
from moebench.training.gradient_check import no_effect, report_losses, router_parameters, routers
from moebench.training.module import Training, Weighted

from .fakes import D, E, OneLayer, V

Router = Callable[[int], nn.Module]
ALONE = "its one choice always has weight 1, normalised over itself"


def training(router: Router, losses: list[Weighted], rate: float = 1.0) -> Training:
    """Return the training of a decoder of two mixtures, before its first step."""
    torch.manual_seed(0)
    sparse = Sparse(router, lambda dim, count: ReluMLP(dim, count, 8))
    shape = Shape(D, layers=4, heads=2, hidden=8)
    module = Training(V, lambda count: Decoder(count, shape, sparse), losses, router_rate=rate)
    module._trainer = SimpleNamespace(global_step=0, log_every_n_steps=5, loggers=[])
    return module


def told(module: Training, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the first step warns of."""
    ids_BL = torch.arange(24).view(3, 8) % V
    batch = SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(-1, 1), context_BL=None)
    with caplog.at_level(logging.WARNING):
        module.training_step(batch, 0)
    lines = [record.getMessage() for record in caplog.records]
    return [line for line in lines if "cannot learn" in line]


def two_of_two(dim: int, count: int) -> TopK:
    return TopK(dim, count, 2)


@pytest.mark.parametrize(
    ("router", "reason"),
    [
        (lambda dim: TopK(dim, E, 1), ALONE),
        (lambda dim: NoisyTopK(dim, E, 1), ALONE),
        (lambda dim: SigmoidTopK(dim, E, 1), ALONE),
        (lambda dim: SigmoidTopK(dim, E, 1, factor=2.5), "always has weight 2.5"),
        (lambda dim: Switch(dim, 1), ALONE),
        (lambda dim: Limited(dim, lambda d: TopK(d, E, 1), Capacity()), ALONE),
        (lambda dim: Cut(dim, E), "its weights carry no gradient"),
        (lambda dim: Unkept(dim, E), "none of its assignments is kept"),
    ],
)
@pytest.mark.parametrize("losses", [[], [Weighted(LoadBalance())]])
def test_a_router_that_the_task_cannot_train(
    router: Router, reason: str, losses: list[Weighted], caplog: pytest.LogCaptureFixture
) -> None:
    """One line for all layers, also where a balance loss moves it."""
    [line] = told(training(router, losses), caplog)
    assert line.startswith("the router in layers 0, 1 cannot learn: the task does not reach it: ")
    assert reason in line


class Cut(Switch):
    """Its weights were cut off from the graph."""

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD)
        return RoutingDecision(**{**vars(decision), "weight_A": decision.weight_A.detach()})


class Unkept(Switch):
    """All its requests are dropped."""

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD)
        none_A = torch.zeros_like(decision.kept_A)
        return RoutingDecision(**{**vars(decision), "kept_A": none_A})


@pytest.mark.parametrize("name", {**ROUTERS, **WRAPPERS})
def test_routers_that_learn_are_not_named(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Zero at the start is no zero gradient: experts differ. Fixed routers are meant to be so."""
    losses = [Weighted(ThresholdGap())] if name == "batchwise" else []
    module = training(lambda dim: make_router({**ROUTERS, **WRAPPERS}[name], dim, E), losses)
    assert not told(module, caplog)


def test_a_part_of_a_router_that_no_loss_reaches(caplog: pytest.LogCaptureFixture) -> None:
    [line] = told(training(lambda dim: Batchwise(dim, E), []), caplog)
    assert line.endswith("in layers 0, 1 cannot learn: no loss reaches its threshold_E")
    caplog.clear()
    blind = lambda dim: Hierarchical(dim, E, 2, two_of_two, lambda d, n: TopK(d, n, 1))  # noqa: E731
    [line] = told(training(blind, []), caplog)
    assert line.endswith("no loss reaches its secondary.0.score.weight, secondary.1.score.weight")


def test_frozen_routers_are_not_named(caplog: pytest.LogCaptureFixture) -> None:
    assert not told(training(lambda dim: TopK(dim, E, 1), [], rate=0.0), caplog)
    frozen = training(lambda dim: TopK(dim, E, 1), [])
    for router in routers(frozen.network).values():
        router.requires_grad_(False)
    assert not told(frozen, caplog)


def test_the_check_leaves_the_step_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """The gradients of step 1 are those of the same batch in a later step."""
    ids_BL = torch.arange(24).view(3, 8) % V
    batch = SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(-1, 1), context_BL=None)
    found = []
    for step in (0, 1):
        module = training(lambda dim: Switch(dim, E, jitter=0.0), [Weighted(LoadBalance())])
        module.trainer.global_step = step
        module.training_step(batch, 0).backward()
        found.append([parameter.grad for parameter in module.parameters()])
    for first, later in zip(*found, strict=True):
        assert torch.equal(first, later)


class ForgetsGradient(nn.Module):
    """A loss that was cut off from the graph, as a common mistake has it."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        return decision.probs_TE.detach().sum()


class CountsRows(nn.Module):
    """A loss on the probabilities whose gradient by the scores is zero."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        return decision.probs_TE.sum()


@pytest.mark.parametrize(
    ("loss", "router", "words"),
    [
        (LoadBalance(), Switch(D, E, jitter=0.0), ""),
        (ZLoss(), TopK(D, E, 2), ""),
        (ForgetsGradient(), Switch(D, E), "does not depend"),
        (LoadBalance(), Hashed(D, E), "no trainable parameter"),
    ],
)
def test_a_loss_without_effect_is_named_with_the_reason(
    loss: nn.Module, router: nn.Module, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    network = OneLayer(V, router)
    value = loss(router(torch.randn(9, D)))
    with caplog.at_level(logging.WARNING):
        report_losses({"TheLoss": value}, network)
    if words:
        assert f"loss TheLoss has no effect on routing: {caplog.text}".count("TheLoss") >= 2
        assert words in caplog.text
    else:
        assert caplog.text == ""


def test_a_gradient_of_zero_is_seen() -> None:
    router = Switch(D, E, jitter=0.0)
    network = OneLayer(V, router)
    x_TD = torch.zeros(5, D)
    value = CountsRows()(router(x_TD))
    assert no_effect(value, router_parameters(network)).endswith("is zero")
