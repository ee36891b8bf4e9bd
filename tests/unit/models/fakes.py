"""Small decoders that write texts."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.latent_attention import Latent, LatentAttention
from moebench.models.rotary import RotaryEmbedding
from moebench.moe import Capacity, Limited, Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import TopK

V = 29
ATTENTION = {
    "grouped": lambda dim, heads: GroupedQueryAttention(dim, heads, 2),
    "latent": lambda dim, heads: LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3)),
}


def small(attention: str, window: int | None = None) -> RotaryDecoder:
    torch.manual_seed(0)
    return RotaryDecoder(
        V,
        DecoderShape(width=16, layers=2, heads=4, hidden=24),
        Sparse(lambda d: TopK(d, 4), lambda d, n: SwiGLU(d, n, 8), every=1),
        attention=ATTENTION[attention],
        positions=RotaryEmbedding(window=window),
        initial_scale=4.0,
    ).eval()


def limited(factor: float, seed: int = 0, **more: Any) -> RotaryDecoder:
    """A mixture whose experts have a small capacity outside training."""
    torch.manual_seed(seed)
    capacity = Capacity(factor=factor, minimum=1, **more)
    router: Callable[[int], nn.Module] = partial(
        Limited, router=lambda d: TopK(d, 4), capacity=Capacity(), eval_capacity=capacity
    )
    return RotaryDecoder(
        V,
        DecoderShape(width=16, layers=2, heads=4, hidden=24),
        Sparse(router, lambda d, n: SwiGLU(d, n, 8), every=1),
        initial_scale=4.0,
    ).eval()
