"""Qwen3-30B-A3B and Qwen3-235B-A22B: norms of each head's queries and keys.

Source: Yang et al. 2025, Qwen3 technical report (arXiv 2505.09388), section 2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import qwen_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, grouped_query, routed
from moebench.interop.rope import positions_of
from moebench.models.grouped_query import GroupedQueryAttention, QueryKeyNorm
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.routers import SoftmaxTopK, TopK


def build(config: Config) -> Mixtral:
    """Make the model."""
    config.refuse(attention_bias=False)
    experts = config.get("num_experts") or config["num_local_experts"]  # both names are in use
    sparse, dense_layers = qwen_moe.sparse_of(config, experts)
    kv_heads, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    norm = QueryKeyNorm("head", config["rms_norm_eps"])
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size", dense_layers),
        sparse,
        attention=lambda dim, heads: GroupedQueryAttention(
            dim, heads, kv_heads, head_width, norm=norm
        ),
        positions=positions_of(config, qwen_moe.window_of(config)),
    )


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, grouped_query, routed)


def fits(parts: Parts) -> bool:
    """Say whether a model is one of these."""
    attention = parts.attention
    return (
        isinstance(attention, GroupedQueryAttention)
        and attention.norm is not None
        and attention.norm.over == "head"
        and attention.query.bias is None
        and isinstance(parts.router, TopK | SoftmaxTopK)
        and parts.shared is None
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    window = parts.model.positions.window
    return {
        **qwen_moe.settings(parts),
        "num_experts": parts.num_experts,
        "head_dim": parts.attention.head_width,
        "use_sliding_window": window is not None,
        "sliding_window": window,
    }


QWEN3_MOE = Architecture(
    "qwen3_moe",
    "Qwen3MoeForCausalLM",
    {
        "num_experts_per_tok": 8,
        "num_local_experts": 128,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 32_768,
    },
    build,
    pieces,
    fits,
    settings,
)
