"""A layer takes tokens in any arrangement, and answers in the same."""

import re

import pytest
import torch
from torch import nn

from moebench.moe import Capacity, Limited, MoELayer
from moebench.moe.dispatch import DISPATCHERS, Grouped
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.experts.shared import GatedShared
from moebench.moe.routers import TopK

D, E = 4, 3


def layer() -> MoELayer:
    torch.manual_seed(0)
    router = Limited(D, lambda dim: TopK(dim, E, 2), Capacity(factor=1.0, minimum=1))
    return MoELayer(router, ReluMLP(D, E, hidden=8), Grouped(), shared=GatedShared(D, 8))


@pytest.mark.parametrize("leading", [(), (1,), (0,), (6,), (2, 3), (2, 0), (2, 3, 5)])
def test_the_arrangement_does_not_matter(leading: tuple[int, ...]) -> None:
    """One vector, none, sequences of a batch: as the same tokens in one list."""
    mixture = layer()
    x = torch.randn(*leading, D, requires_grad=True)
    y, decision = mixture(x)
    x_TD = x.detach().reshape(-1, D).requires_grad_()
    y_TD, expected = mixture(x_TD)
    assert y.shape == x.shape
    assert torch.equal(y.reshape(-1, D), y_TD)
    assert decision.num_tokens == x[..., 0].numel()
    assert torch.equal(decision.kept_A, expected.kept_A)
    [grad] = torch.autograd.grad(y.sum(), x)
    [grad_TD] = torch.autograd.grad(y_TD.sum(), x_TD)
    assert torch.equal(grad.reshape(-1, D), grad_TD)


def test_memory_in_another_order_does_not_matter() -> None:
    x_LBD = torch.randn(5, 2, D)
    moved_BLD = x_LBD.transpose(0, 1)
    y_BLD, _ = layer()(moved_BLD)
    assert torch.equal(y_BLD, layer()(moved_BLD.contiguous())[0])


@pytest.mark.parametrize("leading", [(), (2, 3), (2, 0)])
def test_padding_has_the_arrangement_of_the_tokens(leading: tuple[int, ...]) -> None:
    mixture = layer()
    x, real = torch.randn(*leading, D), torch.rand(leading) < 0.5
    y, decision = mixture(x.masked_fill(~real[..., None], torch.nan), real)
    assert y.shape == x.shape
    assert torch.equal(y[real], mixture(x[real])[0])
    assert not y[~real].any()
    assert decision.num_tokens == real.sum()


@pytest.mark.parametrize("real", [torch.ones(6).bool(), torch.ones(2, 3), torch.ones(3, 2).bool()])
def test_padding_in_another_arrangement_is_refused(real: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^real: is torch.*must be torch.bool of \(2, 3\)$"):
        layer()(torch.randn(2, 3, D), real)


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (torch.tensor(1.0), "is torch.float32 of the shape (); must be a floating-point tensor"),
        (torch.ones(2, 0), "is torch.float32 of the shape (2, 0); must be"),
        (torch.ones(2, D).long(), "is torch.int64 of the shape (2, 4); must be"),
        ([[1.0] * D], "is of the type list; must be"),
        (torch.ones(2, D + 1), "has the width 5; that of the router is 4"),
        (
            torch.ones(2, D).double(),
            "is torch.float64; the weights of the router are torch.float32",
        ),
        (torch.ones(2, D).bfloat16(), "is torch.bfloat16; the weights of the experts are"),
    ],
)
def test_what_is_no_token_of_the_layer_is_refused(x: torch.Tensor, told: str) -> None:
    with pytest.raises(ValueError, match=f"^x: {re.escape(told)}"):
        layer()(x)


@pytest.mark.parametrize("dispatcher", DISPATCHERS.values())
@pytest.mark.parametrize("count", [1, E - 1, 2 * E])
def test_experts_of_another_number_are_refused(dispatcher: type[nn.Module], count: int) -> None:
    """A batched product of equal groups would send rows to the wrong experts."""
    mixture = MoELayer(TopK(D, E, 2), ReluMLP(D, count, 8), dispatcher())
    with pytest.raises(ValueError, match=f"^experts: there are {count}; the router chooses from 3"):
        mixture(torch.randn(2 * E, D))


def test_experts_of_another_width_are_refused() -> None:
    mixture = MoELayer(TopK(D, E, 2), ReluMLP(D + 1, E, 8), Grouped())
    with pytest.raises(ValueError, match=r"^x: has the width 4; that of the experts is 5"):
        mixture(torch.randn(2, D))


@pytest.mark.parametrize("name", ["router", "experts", "dispatcher"])
def test_a_class_is_no_part(name: str) -> None:
    parts = {"router": TopK(D, E, 2), "experts": ReluMLP(D, E, 8), "dispatcher": Grouped()}
    with pytest.raises(ValueError, match=f"^{name}=.*Grouped.*: must be an instance of"):
        MoELayer(**{**parts, name: Grouped})


@pytest.mark.parametrize("experts", [ReluMLP, SwiGLU])
def test_a_compiled_layer_answers_alike(experts: type[nn.Module]) -> None:
    torch.manual_seed(0)
    mixture = MoELayer(TopK(D, E, 2), experts(D, E, 8), Grouped()).eval()
    compiled = torch.compile(mixture, backend="eager")
    for leading in ((), (6,), (2, 3)):
        x = torch.randn(*leading, D)
        torch.testing.assert_close(compiled(x)[0], mixture(x)[0])
