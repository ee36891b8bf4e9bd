"""Grouped-query attention in a checkpoint's settings: read, recognised and written."""

from collections.abc import Callable
from typing import Any

from torch import nn

from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.models.grouped_query import (
    DEFAULT_SCORE,
    AttentionScore,
    GroupedQueryAttention,
    QueryKeyNorm,
)


def attention_of(
    config: Config,
    norm: QueryKeyNorm | None = None,
    bias: bool = False,
    comparison: AttentionScore = DEFAULT_SCORE,
) -> Callable[[int, int], nn.Module]:
    """Return a function that makes attention from the width and the number of query heads.

    Args:
        config: the settings, which give the heads.
        norm: norm of queries and keys; None for none.
        bias: whether query, key and value projections add a vector.
        comparison: how scores are computed.
    """
    kv_heads, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    return lambda dim, heads: GroupedQueryAttention(
        dim, heads, kv_heads, head_width, bias, norm, comparison
    )


def fits(parts: Parts, *norms: str | None) -> bool:
    """Return whether attention is grouped-query, with one of these norms; None is no norm."""
    attention = parts.attention
    if not isinstance(attention, GroupedQueryAttention):
        return False
    return (attention.norm.over if attention.norm else None) in norms


def whole_width(parts: Parts) -> bool:
    """Return whether the heads together are as wide as a token."""
    return bool(parts.attention.query.out_features == parts.model.shape.width)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings of the heads in config.json."""
    attention = parts.attention
    return {
        "num_key_value_heads": attention.key.out_features // attention.head_width,
        "head_dim": attention.head_width,
    }
