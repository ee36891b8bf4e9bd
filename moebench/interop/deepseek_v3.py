"""DeepSeek-V3 and R1: sigmoid router with a bias in the choice.

Extra layers of a checkpoint hold the weights of modules that predict further tokens. They are not
part of the decoder and are left out, with a warning.

Source: DeepSeek-AI 2024 (arXiv 2412.19437), section 2.1.
"""

from typing import Any

from moebench.interop import deepseek, sigmoid_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import latent
from moebench.models.decoder import RotaryDecoder
from moebench.models.latent_attention import LatentAttention


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(scoring_func="sigmoid", topk_method="noaux_tc", moe_layer_freq=1)
    widths = deepseek.latent_of(config)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", config["first_k_dense_replace"]),
        sigmoid_moe.sparse_of(config),
        deepseek.shared_of(config),
        lambda dim, heads: LatentAttention(dim, heads, widths),
        positions_of(config, interleaved=config["rope_interleave"]),
    )


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return isinstance(parts.attention, LatentAttention) and sigmoid_moe.fits(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **deepseek.settings(parts),
        **sigmoid_moe.settings(parts),
        "rope_interleave": parts.model.positions.interleaved,
        "num_nextn_predict_layers": 0,
    }


DEEPSEEK_V3 = Architecture(
    "deepseek_v3",
    "DeepseekV3ForCausalLM",
    {
        "first_k_dense_replace": 3,
        "routed_scaling_factor": 2.5,
        "n_shared_experts": 1,
        "n_group": 8,
        "topk_group": 4,
        "norm_topk_prob": True,
        "rope_interleave": True,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 4096,
    },
    build,
    latent,
    sigmoid_moe.mixture,
    fits,
    settings,
    sigmoid_moe.spare,
)
