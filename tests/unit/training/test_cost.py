"""Costs counted from real models equal costs worked out by hand."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from moebench.models import Decoder, EncoderDecoder, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.t5_blocks import Shape
from moebench.moe import MoELayer, Sparse
from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.experts.grouped_matmul import grouped_matmul
from moebench.moe.experts.shared import Shared
from moebench.moe.routers import Switch, TopK
from moebench.training.cost import count, count_batch, flop_counter, parameters

B, L, V, D, F, E = 2, 16, 64, 32, 48, 4


def decoder_flops(layers: int, heads: int = 4) -> float:
    """FLOPs a token of a dense decoder: two for each weight of a matrix, and attention itself."""
    projections = 4 * D * D
    feed_forward = 2 * D * F
    scores_and_mixture = 2 * L * D  # query x key and weights x value, for every other token
    return 2 * (layers * (projections + feed_forward + scores_and_mixture) + V * D)


def batch() -> SimpleNamespace:
    ids_BL = torch.arange(B * L).view(B, L) % V
    return SimpleNamespace(input_BL=ids_BL, context_BL=None)


def sparse(k: int) -> Sparse:
    return Sparse(
        router=lambda dim: TopK(dim, E, k) if k > 1 else Switch(dim, E, jitter=0.0),
        experts=lambda dim, experts: ReluMLP(dim, experts, F),
    )


@pytest.mark.parametrize("layers", [1, 3])
def test_a_dense_decoder_costs_what_its_matrices_say(layers: int) -> None:
    model = Decoder(V, Shape(width=D, layers=layers, heads=4, hidden=F)).eval()
    cost = count_batch(model, batch())
    assert cost.flops_per_token == decoder_flops(layers)
    assert cost.params_total == cost.params_active == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("k", [1, 2])
def test_a_mixture_costs_k_experts_and_the_router(k: int) -> None:
    shape = Shape(width=D, layers=2, heads=4, hidden=F)
    model = Decoder(V, shape, sparse=sparse(k)).eval()
    cost = count_batch(model, batch())
    expert = 2 * D * F
    assert cost.flops_per_token == decoder_flops(2) + 2 * (k - 1) * expert + 2 * D * E
    assert cost.params_total == parameters(Decoder(V, shape)) + (E - 1) * expert + D * E
    assert cost.params_active == cost.params_total - (E - k) * expert


def test_of_every_layer_the_idle_experts_alone_are_not_active() -> None:
    """What is shared works for every token."""
    mixtures = Sparse(lambda dim: TopK(dim, E, 2), lambda d, n: SwiGLU(d, n, F), every=1)
    shape = DecoderShape(width=D, layers=3, heads=4, hidden=F)
    model = RotaryDecoder(V, shape, mixtures, shared=lambda dim: Shared(dim, 8)).eval()
    cost = count_batch(model, batch())
    assert cost.params_total == parameters(model)
    assert cost.params_active == cost.params_total - 3 * (E - 2) * 3 * D * F


@pytest.mark.parametrize("width", [8, 6])
def test_attention_counts_scores_and_what_they_gather(width: int) -> None:
    """Queries and keys of 8 features, and values; of unequal widths another kernel has them."""
    query, key, value = (
        torch.randn(2, 3, 5, 8),
        torch.randn(2, 3, 7, 8),
        torch.randn(2, 3, 7, width),
    )
    with torch.no_grad(), flop_counter() as counter:
        scaled_dot_product_attention(query, key, value)
    assert counter.get_total_flops() == 2 * (2 * 3 * 5 * 7) * (8 + width)


def test_dropped_rows_cost_nothing() -> None:
    shape = Shape(width=D, layers=2, heads=4, hidden=F)
    free = Decoder(V, shape, sparse=sparse(1)).eval()
    tight = Decoder(
        V,
        shape,
        sparse=Sparse(
            router=lambda dim: Limited(dim, lambda d: Switch(d, E), Capacity(factor=E / (B * L))),
            experts=lambda dim, experts: ReluMLP(dim, experts, F),
        ),
    ).eval()
    of_all, of_few = count_batch(free, batch()), count_batch(tight, batch())
    saved = of_all.flops_per_token - of_few.flops_per_token
    kept = round(B * L - saved * B * L / (2 * 2 * D * F))
    assert 1 <= kept <= E, "one row an expert at most"
    unused = (1 - kept / (B * L)) * 2 * D * F
    assert of_all.params_active - of_few.params_active == pytest.approx(unused, abs=1)


def test_both_texts_of_an_encoder_decoder_are_tokens() -> None:
    model = EncoderDecoder(V, Shape(width=D, layers=2, heads=4, hidden=F)).eval()
    both = SimpleNamespace(input_BL=batch().input_BL[:, :4], context_BL=batch().input_BL)
    whole = count(model, lambda: model(both), 1).flops_per_token
    assert count_batch(model, both).flops_per_token == whole / (B * 4 + B * L)


def test_an_lstm_counts_both_of_its_matrices() -> None:
    lstm = nn.LSTM(D, F, batch_first=True).eval()
    cost = count(lstm, lambda: lstm(torch.randn(B, L, D)), B * L)
    assert cost.flops_per_token == 2 * 4 * F * (D + F)


def test_rows_count_and_padding_does_not() -> None:
    torch.manual_seed(0)
    x_TD = torch.randn(64, D)
    router, experts = Switch(D, E).eval(), ReluMLP(D, E, F)
    costs = {
        name: count(layer, lambda layer=layer: layer(x_TD), 64).flops_per_token
        for name, dispatcher in DISPATCHERS.items()
        for layer in [MoELayer(router, experts, dispatcher())]
    }
    assert costs == dict.fromkeys(DISPATCHERS, 2 * 2 * D * F + 2 * D * E)


def test_the_grouped_product_counts_forward_and_backward() -> None:
    x_RD = torch.randn(24, D, requires_grad=True)
    weight_EDF = nn.Parameter(torch.randn(E, D, F))
    count_E = torch.tensor([10, 0, 6, 8])
    with flop_counter() as counter:
        y_RF = grouped_matmul(x_RD, weight_EDF, count_E)
        forward = counter.get_total_flops()
        y_RF.square().sum().backward()
    assert forward == 2 * 24 * D * F
    assert counter.get_total_flops() == 3 * forward


@pytest.mark.parametrize("projected", [False, True])
def test_cudnns_lstm_counts_by_its_matrices(projected: bool) -> None:
    """On shapes alone: the kernel itself needs an accelerator."""
    units, width = (48, 8) if projected else (8, 8)
    shapes = [(4 * units, 8), (4 * units, width), (4 * units,), (4 * units,)]
    shapes += [(width, units)] if projected else []
    weights = [torch.empty(shape, device="meta") for shape in shapes]
    x_BLD = torch.empty(3, 7, 8, device="meta")
    state = torch.empty(1, 3, width, device="meta")
    cell = torch.empty(1, 3, units, device="meta")
    sizes = (2, units, width if projected else 0, 1)
    with flop_counter() as counter:
        torch.ops.aten._cudnn_rnn(
            *(x_BLD, weights, len(weights), None, state, cell, *sizes),
            *(True, 0.0, True, False, [], None),
        )
    products = 4 * units * (8 + width) + (units * width if projected else 0)
    assert counter.get_total_flops() == 2 * 3 * 7 * products


def test_counting_leaves_no_trace() -> None:
    shape = Shape(width=D, layers=2, heads=4, hidden=F)
    model = Decoder(V, shape, sparse=sparse(1)).train()
    parts = dict(model.named_modules())
    state = torch.get_rng_state()
    count_batch(model, batch())
    assert dict(model.named_modules()) == parts
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
