"""Causal attention in which several query heads share one head of keys and values.

Source: Ainslie et al. 2023, GQA (arXiv 2305.13245), section 2.2; norms of queries and keys:
Henry et al. 2020 (arXiv 2010.04245), over each head or over all of them, as in OLMoE
(arXiv 2409.02060, section 2), or after rotation, as in Hunyuan (released code).
"""

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from moebench.models.kv_cache import KVCache
from moebench.models.rotary import Rotation
from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True)
class QueryKeyNorm:
    """An RMSNorm of queries and keys.

    Raises:
        ValueError: for a norm over all heads together that comes after rotation.
    """

    over: Literal["head", "width"]  # each head by itself, or all heads together
    epsilon: float = 1e-5  # that of a decoder's other norms
    turned: bool = False  # whether the norm comes after rotation by position, or before

    def __post_init__(self) -> None:
        if self.turned and self.over == "width":
            raise ValueError("norm.over=width: only a norm over each head can follow rotation")


@dataclass(frozen=True)
class AttentionScore:
    """How the score of a query and a key of one head is computed.

    Raises:
        ValueError: if the scale is not above 0 and finite.
    """

    turned: int | None = None  # features that are rotated by position, the first ones; None: all
    scale: float | None = None  # factor on the product; None: one over the root of the features

    def __post_init__(self) -> None:
        if self.scale is not None and not 0 < self.scale < math.inf:
            raise ValueError(f"comparison.scale={self.scale}: must be above 0 and finite")


DEFAULT_SCORE = AttentionScore()


class GroupedQueryAttention(nn.Module):
    """Causal multi-head attention with rotary positions and shared keys and values.

    Args:
        dim: width D of tokens.
        heads: number H of query heads.
        kv_heads: heads of keys and values, a divisor of `heads`; None: as many.
        head_width: features R of a head; None: `dim` / `heads`.
        bias: whether query, key and value projections add a vector.
        norm: of queries and keys; None: there is none.
        comparison: how scores are computed.

    Raises:
        ValueError: if a number is out of range, or does not divide another as it must.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        kv_heads: int | None = None,
        head_width: int | None = None,
        bias: bool = False,
        norm: QueryKeyNorm | None = None,
        comparison: AttentionScore = DEFAULT_SCORE,
    ) -> None:
        super().__init__()
        kv_heads = heads if kv_heads is None else kv_heads
        if kv_heads < 1 or heads % kv_heads:
            raise ValueError(f"kv_heads={kv_heads}: must divide the {heads} query heads")
        if head_width is None and dim % heads:
            raise ValueError(f"shape.width={dim}: must be a multiple of shape.heads={heads}")
        self.head_width = dim // heads if head_width is None else head_width
        turned, self.scale = comparison.turned, comparison.scale
        self.rotary_width = self.head_width if turned is None else turned
        if self.rotary_width % 2:
            name = "head_width" if turned is None else "comparison.turned"
            raise ValueError(f"{name}={self.rotary_width}: rotary positions need an even number")
        if not 0 < self.rotary_width <= self.head_width:
            most = self.head_width
            raise ValueError(f"comparison.turned={turned}: must be 2 to head_width={most}")
        width, kv_width = heads * self.head_width, kv_heads * self.head_width
        self.query = nn.Linear(dim, width, bias=bias)
        self.key = nn.Linear(dim, kv_width, bias=bias)
        self.value = nn.Linear(dim, kv_width, bias=bias)
        self.out = nn.Linear(width, dim, bias=False)
        self.norm = norm
        if norm is not None:
            widths = (width, kv_width) if norm.over == "width" else (self.head_width,) * 2
            self.query_norm = nn.RMSNorm(widths[0], eps=norm.epsilon)
            self.key_norm = nn.RMSNorm(widths[1], eps=norm.epsilon)

    def forward(
        self, x_BLD: Tensor, rotation: Rotation, cache: KVCache | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the attended values, and no decision.

        Args:
            x_BLD: the tokens.
            rotation: that of their positions.
            cache: keys and values of earlier tokens, to which these are added; None for none.
        """
        query_BHLR = self._rotated(self.query(x_BLD), "query_norm", rotation)
        key_BHLR = self._rotated(self.key(x_BLD), "key_norm", rotation)
        value_BHLR = self._heads(self.value(x_BLD))
        if cache is not None:
            key_BHLR, value_BHLR = cache.extend(key_BHLR, value_BHLR)
        attended_BHLR = attend(query_BHLR, key_BHLR, value_BHLR, rotation, self.scale)
        return self.out(attended_BHLR.transpose(1, 2).flatten(2)), []

    def _rotated(self, x_BLD: Tensor, name: str, rotation: Rotation) -> Tensor:
        """Return queries or keys rotated by position, and normalised if there is a norm."""
        if self.norm is None:
            return rotation.rotate(self._heads(x_BLD))
        norm = self.get_submodule(name)
        if self.norm.over == "width":
            return rotation.rotate(self._heads(norm(x_BLD)))
        if self.norm.turned:
            normed: Tensor = norm(rotation.rotate(self._heads(x_BLD)))
            return normed
        return rotation.rotate(norm(self._heads(x_BLD)))

    def _heads(self, x_BLD: Tensor) -> Tensor:
        """Split the width into heads."""
        x_BLHR: Tensor = x_BLD.unflatten(-1, (-1, self.head_width))
        return x_BLHR.transpose(1, 2)


def attend(
    query_BHLR: Tensor,
    key_BHSR: Tensor,
    value_BHSR: Tensor,
    rotation: Rotation,
    scale: float | None = None,
) -> Tensor:
    """Return the attended values of each query, over the keys it may see.

    Keys may have fewer heads than queries; each then serves several consecutive query heads.
    `scale` is the factor on the scores; None: one over the root of the features.
    """
    if query_BHLR.shape[2] != 1:
        causal = rotation.seen_LS is None
        return scaled_dot_product_attention(
            query_BHLR,
            key_BHSR,
            value_BHSR,
            attn_mask=rotation.seen_LS,
            is_causal=causal,
            scale=scale,
            enable_gqa=key_BHSR.shape[1] < query_BHLR.shape[1],
        )
    if (window := rotation.window) is not None and rotation.seen_LS is None:
        key_BHSR, value_BHSR = key_BHSR[:, :, -window:], value_BHSR[:, :, -window:]
    # With one token, the query heads that share a key take the axis of the tokens, so that no key
    # is copied.
    batch, heads, _, _ = query_BHLR.shape
    grouped = query_BHLR.reshape(batch, key_BHSR.shape[1], -1, query_BHLR.shape[-1])
    attended = scaled_dot_product_attention(
        grouped, key_BHSR, value_BHSR, attn_mask=rotation.seen_LS, scale=scale
    )
    return attended.reshape(batch, heads, 1, -1)
