"""Decoders of published sizes, counted without a weight of theirs."""

from types import SimpleNamespace

import torch
from torch import nn

from moebench.models import EncoderDecoder, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention, QueryKeyNorm
from moebench.models.t5_blocks import Shape
from moebench.moe import Sparse
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.experts.shared import Shared
from moebench.moe.routers import SoftmaxTopK, Switch, TopK
from moebench.training.cost import Cost, count_batch


def on_meta(model: nn.Module, tokens: int, encoder: bool = False) -> Cost:
    with torch.device("meta"):
        input_BL = torch.empty(1, tokens, dtype=torch.int64)
        context_BL = torch.empty(1, tokens, dtype=torch.int64) if encoder else None
    return count_batch(model, SimpleNamespace(input_BL=input_BL, context_BL=context_BL))


def test_switch_c_has_a_trillion_and_a_half_of_which_few_are_active() -> None:
    """Table 9 of Switch prints 1571B. It has heads of 64 features; 65 divide the width."""
    experts = 2048
    with torch.device("meta"):
        model = EncoderDecoder(
            32128,
            Shape(width=2080, layers=15, heads=32, hidden=6144),
            Sparse(
                lambda dim: Switch(dim, experts),
                lambda dim, count: ReluMLP(dim, count, 6144),
                every=1,
            ),
        )
    cost = on_meta(model, experts, encoder=True)
    assert round(cost.params_total / 1e9) == 1571
    assert cost.params_active < 2e9  # and not the 100 billion that are told of it


def test_deepseekmoe_16b() -> None:
    """28 layers, the first dense, 2 shared and 6 of 64 experts: 16.4B, 2.8B active (5.1.1)."""
    shape = DecoderShape(width=2048, layers=28, heads=16, hidden=10944, dense_layers=1)
    with torch.device("meta"):
        model = RotaryDecoder(
            102400,
            shape,
            Sparse(
                lambda dim: SoftmaxTopK(dim, 64, 6),
                lambda dim, count: SwiGLU(dim, count, 1408),
                every=1,
            ),
            shared=lambda dim: Shared(dim, 2 * 1408),
        )
    cost = on_meta(model, 64)
    assert round(cost.params_total / 1e9, 1) == 16.4
    assert round(cost.params_active / 1e9, 1) == 2.8


def test_olmoe_7b() -> None:
    """16 layers, 8 of 64 experts of width 1024, norms of queries and keys: 6.9B, 1.3B active."""
    with torch.device("meta"):
        model = RotaryDecoder(
            50304,
            DecoderShape(width=2048, layers=16, heads=16, hidden=1024),
            Sparse(
                lambda dim: SoftmaxTopK(dim, 64, 8),
                lambda dim, count: SwiGLU(dim, count, 1024),
                every=1,
            ),
            attention=lambda dim, heads: GroupedQueryAttention(
                dim, heads, norm=QueryKeyNorm("width")
            ),
        )
    cost = on_meta(model, 64)
    assert round(cost.params_total / 1e9, 1) == 6.9
    assert round(cost.params_active / 1e9, 1) == 1.3


def test_counting_without_data_agrees_with_counting_on_data() -> None:
    def small() -> RotaryDecoder:
        sparse = Sparse(lambda dim: TopK(dim, 4), lambda dim, count: SwiGLU(dim, count, 8))
        return RotaryDecoder(23, DecoderShape(width=16, layers=3, heads=4, hidden=24), sparse)

    with torch.device("meta"):
        outline = small()
    input_BL = torch.randint(23, (2, 12))
    batch = SimpleNamespace(input_BL=input_BL, context_BL=None)
    assert on_meta(outline, 12).params_active == count_batch(small(), batch).params_active
    real = count_batch(small(), SimpleNamespace(input_BL=input_BL[:1], context_BL=None))
    assert on_meta(outline, 12).flops_per_token == real.flops_per_token
