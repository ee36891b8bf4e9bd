"""MiniMax-M2: a sigmoid router over mixtures alone, norms over all heads, heads turned in part.

Source: the released configuration and code of MiniMax-M2 (2025).
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.mixtral import mixture
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, grouped_query
from moebench.interop.rope import PARTIAL, partial_settings, positions_of, turned_of
from moebench.models.grouped_query import GroupedQueryAttention, QueryKeyNorm
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import SigmoidTopK


def build(config: Config) -> Mixtral:
    """Make the model."""
    head_width = config["head_dim"]
    if config.get(PARTIAL) is None and (turned := config.get("rotary_dim")):  # of early files
        config = config.but(**{PARTIAL: turned / head_width})
    config.refuse(scoring_func="sigmoid", use_qk_norm=True, qk_norm_type="per_layer")
    hidden, experts = config["intermediate_size"], config["num_local_experts"]
    kv_heads, k = config["num_key_value_heads"], config["num_experts_per_tok"]
    norm, turned = QueryKeyNorm("width", config["rms_norm_eps"]), turned_of(config, head_width)
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size"),
        Sparse(
            lambda dim: SigmoidTopK(dim, experts, k),
            lambda dim, count: SwiGLU(dim, count, hidden),
            every=1,
        ),
        attention=lambda dim, heads: GroupedQueryAttention(
            dim, heads, kv_heads, head_width, norm=norm, turned=turned
        ),
        positions=positions_of(config, partial=True),
    )


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, grouped_query, _mixture)


def _mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[Piece]:
    yield Piece(f"{theirs}block_sparse_moe.e_score_correction_bias", f"{ours}router.bias_E")
    yield from mixture(layer, theirs, ours)


def fits(parts: Parts) -> bool:
    """Say whether a model is one of these."""
    attention = parts.attention
    return (
        isinstance(attention, GroupedQueryAttention)
        and attention.norm is not None
        and attention.norm.over == "width"
        and isinstance(parts.router, SigmoidTopK)
        and parts.shared is None
        and parts.all_sparse
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    attention = parts.attention
    return {
        "intermediate_size": parts.hidden,
        "num_local_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "num_key_value_heads": attention.key.out_features // attention.head_width,
        "head_dim": attention.head_width,
        "scoring_func": "sigmoid",
        "use_qk_norm": True,
        "qk_norm_type": "per_layer",
        "rotary_dim": attention.rotary_width,
        **partial_settings(parts.model.positions, attention.head_width, attention.rotary_width),
    }


MINIMAX_M2 = Architecture(
    "minimax_m2",
    "MiniMaxM2ForCausalLM",
    {
        "num_experts_per_tok": 8,
        "num_local_experts": 256,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rms_norm_eps": 1e-6,
        "rope_theta": 5_000_000.0,
        "max_position_embeddings": 196_608,
    },
    build,
    pieces,
    fits,
    settings,
)
