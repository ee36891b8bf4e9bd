"""Hunyuan-A13B: heads normalised after rotation, a shared expert as wide as the others.

Source: the released configuration and code of Hunyuan-A13B (2025).
"""

from collections.abc import Iterator
from typing import Any

from torch import nn

from moebench.interop import heads
from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import TensorMapping, expert_list, linears, shared_expert
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import QueryKeyNorm
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer
from moebench.moe.routers import TopK

NAMES = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"}
NAMES |= {"query_norm": "query_layernorm", "key_norm": "key_layernorm"}


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    config.refuse(attention_bias=False, use_qk_norm=True, use_cla=False, moe_layer_num_skipped=0)
    hidden = config["intermediate_size"]
    for name, only in (("moe_intermediate_size", hidden), ("num_shared_expert", 1)):
        if config.get(name) is not None and same_in_all_layers(config, name) != only:
            raise ValueError(f"{FILE}: {name}={config[name]} is not supported, only {only}")
    of_token = "moe_topk" if config.get("num_experts_per_tok") is None else "num_experts_per_tok"
    experts, k = same_in_all_layers(config, "num_experts"), same_in_all_layers(config, of_token)
    norm = QueryKeyNorm("head", config["rms_norm_eps"], turned=True)
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size"),
        sparse_of(lambda dim: TopK(dim, experts, k), hidden),
        lambda dim: Shared(dim, hidden),
        heads.attention_of(config, norm),
        positions_of(with_ntk_base(config)),
    )


def same_in_all_layers(config: Config, name: str) -> int:
    """Return a number that may be listed for each layer; ValueError if layers differ."""
    value = config[name]
    numbers = set(value) if isinstance(value, list) else {value}
    if len(numbers) != 1:
        raise ValueError(f"{FILE}: {name}={value}: different values by layer are not supported")
    return int(numbers.pop())


def with_ntk_base(config: Config) -> Config:
    """Return the settings with the base of the positions that the model really uses.

    Files with "dynamic" positions and an `alpha` mean, for texts of any length, a larger base
    (NTK-aware scaling).
    """
    rope = config.get("rope_scaling") or config.get("rope_parameters", {})
    alpha, kind = rope.get("alpha"), rope.get("rope_type") or rope.get("type")
    if kind != "dynamic" or not alpha:
        return config
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    base = rope.get("rope_theta") or config.get("rope_theta", 10_000.0)
    base *= alpha ** (width / (width - 2))
    return config.replaced(rope_parameters={"rope_theta": base}, rope_scaling=None)


def attention(module: nn.Module, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of an attention."""
    return linears(module, NAMES, theirs, ours)


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    yield TensorMapping(f"{theirs}mlp.gate.wg.weight", f"{ours}router.score.weight")
    yield from expert_list(layer, f"{theirs}mlp.", ours)
    yield from shared_expert(layer, f"{theirs}mlp.shared_mlp.", ours)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, "head")
        and parts.attention.norm.turned
        and isinstance(parts.router, TopK)
        and isinstance(parts.shared, Shared)
        and parts.all_sparse
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **heads.settings(parts),
        "intermediate_size": parts.hidden,
        "num_experts": parts.num_experts,
        "moe_topk": parts.router.k,
        "use_qk_norm": True,
        "attention_bias": False,
    }


HUNYUAN_V1_MOE = Architecture(
    "hunyuan_v1_moe",
    "HunYuanMoEV1ForCausalLM",
    {
        "num_experts": 1,
        "moe_topk": 1,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 2048,
    },
    build,
    attention,
    mixture,
    fits,
    settings,
)
