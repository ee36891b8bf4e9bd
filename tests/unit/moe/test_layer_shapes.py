"""A layer takes tokens in any arrangement, and answers in the same."""

import pytest
import torch
from torch import nn

from moebench.moe import Capacity, Limited, MoELayer
from moebench.moe.dispatch import Grouped
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


def test_a_single_number_is_no_token() -> None:
    with pytest.raises(ValueError, match=r"^x: is a single number; must have the shape"):
        layer()(torch.tensor(1.0))


@pytest.mark.parametrize("experts", [ReluMLP, SwiGLU])
def test_a_compiled_layer_answers_alike(experts: type[nn.Module]) -> None:
    torch.manual_seed(0)
    mixture = MoELayer(TopK(D, E, 2), experts(D, E, 8), Grouped()).eval()
    compiled = torch.compile(mixture, backend="eager")
    for leading in ((), (6,), (2, 3)):
        x = torch.randn(*leading, D)
        torch.testing.assert_close(compiled(x)[0], mixture(x)[0])
