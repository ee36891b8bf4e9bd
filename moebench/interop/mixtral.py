"""Mixtral 8x7B and 8x22B.

Source: Jiang et al. 2024 (arXiv 2401.04088), section 2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, grouped_query, swiglu
from moebench.interop.rope import positions_of
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import TopK


def build(config: Config) -> Mixtral:
    """Make the model."""
    hidden, experts = config["intermediate_size"], config["num_local_experts"]
    kv_heads, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    k = config["num_experts_per_tok"]
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size"),
        Sparse(
            lambda dim: TopK(dim, experts, k),
            lambda dim, count: SwiGLU(dim, count, hidden),
            every=1,
        ),
        attention=lambda dim, heads: GroupedQueryAttention(dim, heads, kv_heads, head_width),
        positions=positions_of(config, config.get("sliding_window")),
    )


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, grouped_query, mixture)


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[Piece]:
    """Yield the pieces of a mixture."""
    yield Piece(f"{theirs}block_sparse_moe.gate.weight", f"{ours}router.score.weight")
    for expert in range(layer.experts.get_parameter("down_EFD").shape[0]):
        there = f"{theirs}block_sparse_moe.experts.{expert}."
        yield from swiglu(layer.experts, there, f"{ours}experts.", expert, ("w1", "w3", "w2"))


def fits(parts: Parts) -> bool:
    """Say whether a model is a Mixtral."""
    attention = parts.attention
    plain = isinstance(attention, GroupedQueryAttention) and attention.norm is None
    no_bias = plain and attention.query.bias is None
    return no_bias and parts.all_sparse and isinstance(parts.router, TopK) and parts.shared is None


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    return {
        "num_key_value_heads": parts.attention.key.out_features // parts.attention.head_width,
        "head_dim": parts.attention.head_width,
        "intermediate_size": parts.hidden,
        "num_local_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "sliding_window": parts.model.positions.window,
    }


MIXTRAL = Architecture(
    "mixtral",
    "MixtralForCausalLM",
    {
        "num_experts_per_tok": 2,
        "num_local_experts": 8,
        "rms_norm_eps": 1e-5,
        "rope_theta": 1_000_000.0,
        "max_position_embeddings": 131_072,
    },
    build,
    pieces,
    fits,
    settings,
)
