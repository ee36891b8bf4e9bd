"""Causal attention in which several query heads share one head of keys and values.

Source: Ainslie et al. 2023, GQA (arXiv 2305.13245), section 2.2; norms of queries and keys:
Henry et al. 2020 (arXiv 2010.04245), over each head or over all of them, as OLMoE has it
(arXiv 2409.02060, section 2), or after the turn, as Hunyuan has it (released code).
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
        ValueError: if all heads together are to be normalised after they are turned.
    """

    over: Literal["head", "width"]  # each head by itself, or all heads together
    epsilon: float = 1e-5  # as of the other norms of a decoder
    turned: bool = False  # whether they are normalised after they are turned, or before

    def __post_init__(self) -> None:
        if self.turned and self.over == "width":
            raise ValueError("norm.over=width: only heads can be normalised after they are turned")


@dataclass(frozen=True)
class Comparison:
    """How a query and a key of one head are compared.

    Raises:
        ValueError: if the scale is not above 0 and finite.
    """

    turned: int | None = None  # features that rotary positions turn, the first; None: all of them
    scale: float | None = None  # factor on the product; None: one over the root of the features

    def __post_init__(self) -> None:
        if self.scale is not None and not 0 < self.scale < math.inf:
            raise ValueError(f"comparison.scale={self.scale}: must be above 0 and finite")


USUAL = Comparison()


class GroupedQueryAttention(nn.Module):
    """Causal multi-head attention with rotary positions and shared keys and values.

    Args:
        dim: width D of tokens.
        heads: number H of query heads.
        kv_heads: heads of keys and values, a divisor of `heads`; None: as many.
        head_width: features R of a head; None: `dim` / `heads`.
        bias: whether query, key and value projections add a vector.
        norm: of queries and keys; None: there is none.
        comparison: how queries and keys are compared.

    Raises:
        ValueError: if the numbers do not divide.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        kv_heads: int | None = None,
        head_width: int | None = None,
        bias: bool = False,
        norm: QueryKeyNorm | None = None,
        comparison: Comparison = USUAL,
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
            raise ValueError(f"{name}={self.rotary_width}: rotary positions need an even one")
        if not 0 < self.rotary_width <= self.head_width:
            most = self.head_width
            raise ValueError(f"comparison.turned={turned}: must lie between 2 and a head's {most}")
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
        self, x_BLD: Tensor, place: Rotation, cache: KVCache | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return what each token gathers, and no decision.

        Args:
            x_BLD: the tokens.
            place: where they stand.
            cache: what was read before, extended by these tokens; None: nothing was.
        """
        query_BHLR = self._asked(self.query(x_BLD), "query_norm", place)
        key_BHLR = self._asked(self.key(x_BLD), "key_norm", place)
        value_BHLR = self._heads(self.value(x_BLD))
        if cache is not None:
            key_BHLR, value_BHLR = cache.extend(key_BHLR, value_BHLR)
        gathered_BHLR = attend(query_BHLR, key_BHLR, value_BHLR, place, self.scale)
        return self.out(gathered_BHLR.transpose(1, 2).flatten(2)), []

    def _asked(self, x_BLD: Tensor, name: str, place: Rotation) -> Tensor:
        """Return queries or keys turned, normalised where that is wanted."""
        if self.norm is None:
            return place.rotate(self._heads(x_BLD))
        norm = self.get_submodule(name)
        if self.norm.over == "width":
            return place.rotate(self._heads(norm(x_BLD)))
        if self.norm.turned:
            normed: Tensor = norm(place.rotate(self._heads(x_BLD)))
            return normed
        return place.rotate(norm(self._heads(x_BLD)))

    def _heads(self, x_BLD: Tensor) -> Tensor:
        """Give each head its share of the width."""
        x_BLHR: Tensor = x_BLD.unflatten(-1, (-1, self.head_width))
        return x_BLHR.transpose(1, 2)


def attend(
    query_BHLR: Tensor,
    key_BHSR: Tensor,
    value_BHSR: Tensor,
    place: Rotation,
    scale: float | None = None,
) -> Tensor:
    """Return the values that each query gathers from the keys it may see.

    Keys may have fewer heads than queries, each then serving as many in turn. `scale` is the
    factor on the scores; None: one over the root of the features.
    """
    if query_BHLR.shape[2] != 1:
        causal = place.seen_LS is None
        return scaled_dot_product_attention(
            query_BHLR,
            key_BHSR,
            value_BHSR,
            attn_mask=place.seen_LS,
            is_causal=causal,
            scale=scale,
            enable_gqa=key_BHSR.shape[1] < query_BHLR.shape[1],
        )
    if place.window is not None and place.seen_LS is None:
        key_BHSR, value_BHSR = key_BHSR[:, :, -place.window :], value_BHSR[:, :, -place.window :]
    # One token: the queries that share a key stand where the tokens of a longer text would, so
    # that no key is copied.
    batch, heads, _, _ = query_BHLR.shape
    together = query_BHLR.reshape(batch, key_BHSR.shape[1], -1, query_BHLR.shape[-1])
    gathered = scaled_dot_product_attention(
        together, key_BHSR, value_BHSR, attn_mask=place.seen_LS, scale=scale
    )
    return gathered.reshape(batch, heads, 1, -1)
