"""dots.llm1: norms of each head's queries and keys, mixtures of DeepSeek-V3.

Source: Huo et al. 2025 (arXiv 2506.05767), section 2.1.
"""

from typing import Any

from moebench.interop import deepseek, heads, sigmoid_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import QueryKeyNorm


def build(config: Config) -> RotaryDecoder:
    """Build the model.

    Raises:
        ValueError: if some layers have a window.
    """
    config.refuse(attention_bias=False)
    layers = config["num_hidden_layers"]
    sliding = config.get("sliding_window") and config["max_window_layers"] < layers
    kinds = config.get("layer_types", ["sliding_attention" if sliding else "full_attention"])
    if set(kinds) != {"full_attention"}:
        raise ValueError(f"{FILE}: layers with a window are not supported (sliding_window)")
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", config["first_k_dense_replace"]),
        sigmoid_moe.sparse_of(config),
        deepseek.shared_of(config),
        heads.attention_of(config, QueryKeyNorm("head", config["rms_norm_eps"])),
        positions_of(config),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    attention = parts.attention
    return (
        heads.fits(parts, "head")
        and attention.query.bias is None
        and attention.rotary_width == attention.head_width
        and sigmoid_moe.fits(parts)
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **deepseek.mixture_settings(parts),
        **sigmoid_moe.settings(parts),
        **heads.settings(parts),
        "attention_bias": False,
        "sliding_window": None,
        "layer_types": ["full_attention"] * parts.model.shape.layers,
    }


DOTS1 = Architecture(
    "dots1",
    "Dots1ForCausalLM",
    {
        "first_k_dense_replace": 0,
        "routed_scaling_factor": 1.0,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": False,
        "num_key_value_heads": 32,
        "sliding_window": 4096,
        "max_window_layers": 62,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 2048,
    },
    build,
    grouped_query,
    sigmoid_moe.mixture,
    fits,
    settings,
)
