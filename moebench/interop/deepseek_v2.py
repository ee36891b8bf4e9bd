"""DeepSeek-V2 and V2-Lite: softmax router, with choices within a few groups of experts.

Source: DeepSeek-AI 2024 (arXiv 2405.04434), section 2.
"""

from typing import Any

from moebench.interop import deepseek
from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import latent
from moebench.models.decoder import RotaryDecoder
from moebench.models.latent_attention import LatentAttention
from moebench.moe.routers import GroupLimited


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(mlp_bias=False, norm_topk_prob=False, scoring_func="softmax", moe_layer_freq=1)
    experts, k = config["n_routed_experts"], config["num_experts_per_tok"]
    method, factor = config["topk_method"], config["routed_scaling_factor"]
    if method not in ("greedy", "group_limited_greedy"):
        raise ValueError(f"{FILE}: topk_method={method!r} is not supported")
    groups, kept = (1, 1) if method == "greedy" else (config["n_group"], config["topk_group"])
    widths = deepseek.latent_of(config)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", config["first_k_dense_replace"]),
        sparse_of(
            lambda dim: GroupLimited(dim, experts, k, groups, kept, factor),
            config["moe_intermediate_size"],
        ),
        deepseek.shared_of(config),
        lambda dim, heads: LatentAttention(dim, heads, widths),
        positions_of(config, interleaved=True),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    ours = isinstance(parts.attention, LatentAttention) and isinstance(parts.router, GroupLimited)
    return ours and parts.model.positions.interleaved and deepseek.fits(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    limited = parts.router.groups > 1
    return {
        **deepseek.settings(parts),
        "topk_method": "group_limited_greedy" if limited else "greedy",
        "n_group": parts.router.groups if limited else None,
        "topk_group": parts.router.kept if limited else None,
        "routed_scaling_factor": parts.router.factor,
        "norm_topk_prob": False,
    }


DEEPSEEK_V2 = Architecture(
    "deepseek_v2",
    "DeepseekV2ForCausalLM",
    {
        "first_k_dense_replace": 0,
        "routed_scaling_factor": 1.0,
        "topk_method": "greedy",
        "n_shared_experts": 2,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 2048,
    },
    build,
    latent,
    deepseek.mixture,
    fits,
    settings,
)
