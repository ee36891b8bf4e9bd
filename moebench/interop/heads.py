"""Grouped-query attention in the settings of a checkpoint: read, recognised and written."""

from collections.abc import Callable
from typing import Any

from torch import nn

from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.models.grouped_query import (
    USUAL,
    Comparison,
    GroupedQueryAttention,
    QueryKeyNorm,
)


def attention_of(
    config: Config,
    norm: QueryKeyNorm | None = None,
    bias: bool = False,
    comparison: Comparison = USUAL,
) -> Callable[[int, int], nn.Module]:
    """Return what makes attention from width and query heads.

    Args:
        config: the settings, of which it takes the heads.
        norm: of queries and keys; None: there is none.
        bias: whether query, key and value projections add a vector.
        comparison: how queries and keys are compared.
    """
    kv_heads, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    return lambda dim, heads: GroupedQueryAttention(
        dim, heads, kv_heads, head_width, bias, norm, comparison
    )


def fits(parts: Parts, *norms: str | None) -> bool:
    """Say whether attention is such, with a norm over one of these; None: without a norm."""
    attention = parts.attention
    if not isinstance(attention, GroupedQueryAttention):
        return False
    return (attention.norm.over if attention.norm else None) in norms


def whole_width(parts: Parts) -> bool:
    """Say whether all heads together are as wide as a token."""
    return bool(parts.attention.query.out_features == parts.model.shape.width)


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says of the heads."""
    attention = parts.attention
    return {
        "num_key_value_heads": attention.key.out_features // attention.head_width,
        "head_dim": attention.head_width,
    }
