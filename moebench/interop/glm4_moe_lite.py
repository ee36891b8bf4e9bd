"""GLM-4.7-Flash: DeepSeek-V3 with a list of its layers, dense or sparse.

Source: the released configuration and code of GLM-4.7-Flash (2026).
"""

from typing import Any

from moebench.interop import deepseek_v3, sigmoid_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.weight_mapping import latent
from moebench.models.decoder import RotaryDecoder


def build(config: Config) -> RotaryDecoder:
    """Build the model.

    Raises:
        ValueError: if a dense layer comes after a mixture.
    """
    layers = config["num_hidden_layers"]
    kinds = config.get("mlp_layer_types", ["dense"] + ["sparse"] * (layers - 1))
    dense = kinds.count("dense")
    if kinds != ["dense"] * dense + ["sparse"] * (layers - dense):
        raise ValueError(f"{FILE}: mlp_layer_types={kinds}: dense layers must come first")
    return deepseek_v3.build(config.replaced(first_k_dense_replace=dense))


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    found = deepseek_v3.settings(parts)
    dense = found.pop("first_k_dense_replace")
    sparse = parts.model.shape.layers - dense
    return {**found, "mlp_layer_types": ["dense"] * dense + ["sparse"] * sparse}


GLM4_MOE_LITE = Architecture(
    "glm4_moe_lite",
    "Glm4MoeLiteForCausalLM",
    {
        "routed_scaling_factor": 1.8,
        "n_shared_experts": 1,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "rope_interleave": True,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 202_752,
    },
    build,
    latent,
    sigmoid_moe.mixture,
    deepseek_v3.fits,
    settings,
    sigmoid_moe.spare,
)
