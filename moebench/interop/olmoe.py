"""OLMoE 1B-7B.

Source: Muennighoff et al. 2024 (arXiv 2409.02060), section 2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, grouped_query, routed
from moebench.interop.rope import positions_of
from moebench.models.grouped_query import GroupedQueryAttention, QueryKeyNorm
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import Sparse
from moebench.moe.routers import SoftmaxTopK, TopK


def build(config: Config) -> Mixtral:
    """Make the model."""
    config.refuse(attention_bias=False, clip_qkv=None)
    hidden, experts = config["intermediate_size"], config["num_experts"]
    kv_heads, k = config.get("num_key_value_heads"), config["num_experts_per_tok"]
    router = TopK if config.get("norm_topk_prob", False) else SoftmaxTopK
    norm = QueryKeyNorm("width", config["rms_norm_eps"])
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size"),
        Sparse(
            lambda dim: router(dim, experts, k),
            lambda dim, count: SwiGLU(dim, count, hidden),
            every=1,
        ),
        attention=lambda dim, heads: GroupedQueryAttention(dim, heads, kv_heads, norm=norm),
        positions=positions_of(config),
    )


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, grouped_query, routed)


def fits(parts: Parts) -> bool:
    """Say whether a model is an OLMoE."""
    attention = parts.attention
    return (
        isinstance(attention, GroupedQueryAttention)
        and attention.norm is not None
        and attention.norm.over == "width"
        and attention.query.bias is None
        and attention.query.out_features == parts.model.shape.width
        and parts.model.positions.window is None
        and parts.all_sparse
        and isinstance(parts.router, TopK | SoftmaxTopK)
        and parts.shared is None
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    return {
        "num_key_value_heads": parts.attention.key.out_features // parts.attention.head_width,
        "intermediate_size": parts.hidden,
        "num_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "norm_topk_prob": isinstance(parts.router, TopK),
    }


OLMOE = Architecture(
    "olmoe",
    "OlmoeForCausalLM",
    {
        "num_experts_per_tok": 8,
        "num_experts": 64,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 4096,
    },
    build,
    pieces,
    fits,
    settings,
)
