"""Qwen1.5-MoE and Qwen2-57B-A14B: biases in attention, shared experts behind a gate.

Source: Yang et al. 2024, Qwen2 technical report (arXiv 2407.10671), section 2.2.2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import heads, qwen_moe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import TensorMapping, grouped_query, routed, swiglu
from moebench.models.decoder import RotaryDecoder
from moebench.moe.experts.shared import GatedShared
from moebench.moe.layer import MoELayer
from moebench.moe.routers import SoftmaxTopK, TopK


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(use_sliding_window=False)
    sparse, dense_layers = qwen_moe.layers_of(config, config["num_experts"])
    shared = config["shared_expert_intermediate_size"]
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", dense_layers),
        sparse,
        lambda dim: GatedShared(dim, shared),
        heads.attention_of(config, bias=config["qkv_bias"]),
        positions_of(config),
    )


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    yield from routed(layer, theirs, ours)
    yield TensorMapping(f"{theirs}mlp.shared_expert_gate.weight", f"{ours}shared.gate.weight")
    expert = layer.get_submodule("shared.shared.expert")
    yield from swiglu(expert, f"{theirs}mlp.shared_expert.", f"{ours}shared.shared.expert.", 0)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, None)
        and heads.whole_width(parts)
        and parts.model.positions.window is None
        and isinstance(parts.router, TopK | SoftmaxTopK)
        and isinstance(parts.shared, GatedShared)
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **qwen_moe.settings(parts),
        "shared_expert_intermediate_size": parts.shared_hidden,
        "qkv_bias": parts.attention.query.bias is not None,
        "use_sliding_window": False,
    }


QWEN2_MOE = Architecture(
    "qwen2_moe",
    "Qwen2MoeForCausalLM",
    {
        "num_experts_per_tok": 4,
        "num_experts": 60,
        "qkv_bias": True,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 32_768,
    },
    build,
    grouped_query,
    mixture,
    fits,
    settings,
)
