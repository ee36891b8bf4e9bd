"""Qwen3-30B-A3B and Qwen3-235B-A22B: norms of each head's queries and keys.

Source: Yang et al. 2025, Qwen3 technical report (arXiv 2505.09388), section 2.
"""

from typing import Any

from moebench.interop import heads, qwen_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import grouped_query, routed
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import QueryKeyNorm
from moebench.moe.routers import SoftmaxTopK, TopK


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(attention_bias=False)
    experts = config.get("num_experts") or config["num_local_experts"]  # both names are in use
    sparse, dense_layers = qwen_moe.layers_of(config, experts)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", dense_layers),
        sparse,
        attention=heads.attention_of(config, QueryKeyNorm("head", config["rms_norm_eps"])),
        positions=positions_of(config, qwen_moe.window_of(config)),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, "head")
        and parts.attention.query.bias is None
        and isinstance(parts.router, TopK | SoftmaxTopK)
        and parts.shared is None
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    window = parts.model.positions.window
    return {
        **qwen_moe.settings(parts),
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
    grouped_query,
    routed,
    fits,
    settings,
)
