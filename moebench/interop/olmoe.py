"""OLMoE 1B-7B.

Source: Muennighoff et al. 2024 (arXiv 2409.02060), section 2.
"""

from typing import Any

from moebench.interop import heads
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of, top_k_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import grouped_query, routed
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import QueryKeyNorm
from moebench.moe.routers import SoftmaxTopK, TopK


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(attention_bias=False, clip_qkv=None)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size"),
        sparse_of(top_k_of(config, config["num_experts"]), config["intermediate_size"]),
        attention=heads.attention_of(config, QueryKeyNorm("width", config["rms_norm_eps"])),
        positions=positions_of(config),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, "width")
        and heads.whole_width(parts)
        and parts.attention.query.bias is None
        and parts.model.positions.window is None
        and parts.all_sparse
        and isinstance(parts.router, TopK | SoftmaxTopK)
        and parts.shared is None
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **heads.settings(parts),
        "intermediate_size": parts.hidden,
        "num_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "norm_topk_prob": parts.router.normalised,
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
    grouped_query,
    routed,
    fits,
    settings,
)
