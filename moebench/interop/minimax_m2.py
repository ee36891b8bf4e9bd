"""MiniMax-M2: sigmoid router, mixtures in all layers, norms over all heads, partial rotation.

Source: the released configuration and code of MiniMax-M2 (2025).
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import heads, mixtral
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of
from moebench.interop.rope import PARTIAL, partial_settings, positions_of, turned_of
from moebench.interop.weight_mapping import TensorMapping, grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import AttentionScore, QueryKeyNorm
from moebench.moe.layer import MoELayer
from moebench.moe.routers import SigmoidTopK


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    head_width = config["head_dim"]
    if config.get(PARTIAL) is None and (turned := config.get("rotary_dim")):  # of early files
        config = config.replaced(**{PARTIAL: turned / head_width})
    config.refuse(scoring_func="sigmoid", use_qk_norm=True, qk_norm_type="per_layer")
    experts, k = config["num_local_experts"], config["num_experts_per_tok"]
    norm, turned = QueryKeyNorm("width", config["rms_norm_eps"]), turned_of(config, head_width)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size"),
        sparse_of(lambda dim: SigmoidTopK(dim, experts, k), config["intermediate_size"]),
        attention=heads.attention_of(config, norm, comparison=AttentionScore(turned)),
        positions=positions_of(config, partial=True),
    )


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    yield TensorMapping(f"{theirs}block_sparse_moe.e_score_correction_bias", f"{ours}router.bias_E")
    yield from mixtral.mixture(layer, theirs, ours)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, "width")
        and isinstance(parts.router, SigmoidTopK)
        and parts.shared is None
        and parts.all_sparse
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    attention = parts.attention
    return {
        **heads.settings(parts),
        "intermediate_size": parts.hidden,
        "num_local_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
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
    grouped_query,
    mixture,
    fits,
    settings,
    in_memory=mixtral.IN_MEMORY,
)
