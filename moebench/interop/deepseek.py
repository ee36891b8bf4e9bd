"""What DeepSeek-V2 and V3 share: latent attention, leading dense layers, shared experts.

Other architectures share their mixtures but not their attention.
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.rope import growth, rope_of, rope_settings
from moebench.interop.weight_mapping import TensorMapping, routed, shared_expert
from moebench.models.latent_attention import Latent
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer


def latent_of(config: Config) -> Latent:
    """Return the widths of attention; an extended context sharpens its scores."""
    rope, scale = rope_of(config), 1.0
    if rope["rope_type"] != "default":
        everywhere = rope.get("mscale_all_dim") or 0
        scale = growth(rope["factor"], everywhere) ** 2 if everywhere else 1.0
    return Latent(
        kv_rank=config["kv_lora_rank"],
        query_rank=config.get("q_lora_rank"),
        plain=config["qk_nope_head_dim"],
        turned=config["qk_rope_head_dim"],
        value=config["v_head_dim"],
        bias=bool(config.get("attention_bias", False)),
        scale=scale,
    )


def shared_of(config: Config) -> Callable[[int], nn.Module]:
    """Return a function that makes the shared experts from the width."""
    hidden = config["n_shared_experts"] * config["moe_intermediate_size"]
    return lambda dim: Shared(dim, hidden)


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture with shared experts."""
    yield from routed(layer, theirs, ours)
    yield from shared_expert(layer, f"{theirs}mlp.shared_experts.", ours)


def fits(parts: Parts) -> bool:
    """Return whether dense layers, shared experts and positions are those that all of them have."""
    dense = parts.dense == list(range(len(parts.dense)))
    positions = parts.model.positions
    shared = isinstance(parts.shared, Shared) and not parts.shared_hidden % parts.hidden
    return dense and shared and positions.window is None


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings that both have in config.json."""
    latent: Latent = parts.attention.latent
    return {
        **mixture_settings(parts),
        "num_key_value_heads": parts.model.shape.heads,
        "kv_lora_rank": latent.kv_rank,
        "q_lora_rank": latent.query_rank,
        "qk_nope_head_dim": latent.plain,
        "qk_rope_head_dim": latent.turned,
        "v_head_dim": latent.value,
        "attention_bias": latent.bias,
        **rope_settings(parts.model.positions, **_scale(parts)),
    }


def mixture_settings(parts: Parts) -> dict[str, Any]:
    """Return the settings of dense layers and mixtures in config.json."""
    return {
        "intermediate_size": parts.model.shape.hidden,
        "moe_intermediate_size": parts.hidden,
        "n_routed_experts": parts.num_experts,
        "n_shared_experts": parts.shared_hidden // parts.hidden,
        "num_experts_per_tok": parts.router.k,
        "first_k_dense_replace": len(parts.dense),
    }


def _scale(parts: Parts) -> dict[str, float]:
    """Return the settings in config.json for the factors that sharpen attention.

    `mscale` repeats `attention_factor` for readers that know only the former.

    Raises:
        ValueError: for a factor without an extended context.
    """
    scale, yarn = parts.attention.latent.scale, parts.model.positions.yarn
    if yarn is None or yarn.factor <= 1:
        if scale == 1.0:
            return {}
        raise ValueError(f"latent.scale={scale}: config.json has it only with yarn positions")
    once = growth(yarn.factor) - 1
    return {
        "mscale": (yarn.attention * scale**0.5 - 1) / once,
        "mscale_all_dim": (scale**0.5 - 1) / once,
    }
