"""GLM-4.5 and 4.6: grouped-query attention that rotates half of a head, mixtures of DeepSeek-V3.

Source: GLM-4.5 team 2025 (arXiv 2508.06471), section 2.1.
"""

from typing import Any

from moebench.interop import deepseek, heads, sigmoid_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import partial_settings, positions_of, turned_of
from moebench.interop.weight_mapping import grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import AttentionScore, QueryKeyNorm


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    head_width = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    norm = QueryKeyNorm("head", config["rms_norm_eps"]) if config.get("use_qk_norm") else None
    bias, turned = bool(config.get("attention_bias", False)), turned_of(config, head_width)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", config["first_k_dense_replace"]),
        sigmoid_moe.sparse_of(config),
        deepseek.shared_of(config),
        heads.attention_of(config, norm, bias, AttentionScore(turned)),
        positions_of(config, partial=True),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return heads.fits(parts, None, "head") and sigmoid_moe.fits(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    attention = parts.attention
    return {
        **deepseek.mixture_settings(parts),
        **sigmoid_moe.settings(parts),
        **heads.settings(parts),
        "attention_bias": attention.query.bias is not None,
        "use_qk_norm": attention.norm is not None,
        "num_nextn_predict_layers": 0,
        **partial_settings(parts.model.positions, attention.head_width, attention.rotary_width),
    }


GLM4_MOE = Architecture(
    "glm4_moe",
    "Glm4MoeForCausalLM",
    {
        "first_k_dense_replace": 1,
        "routed_scaling_factor": 1.0,
        "n_shared_experts": 1,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "num_experts_per_tok": 8,
        "num_key_value_heads": 8,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 131_072,
    },
    build,
    grouped_query,
    sigmoid_moe.mixture,
    fits,
    settings,
    sigmoid_moe.spare,
)
