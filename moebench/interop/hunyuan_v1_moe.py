"""Hunyuan-A13B: heads normalised after they are turned, a shared expert as wide as the others.

Source: the released configuration and code of Hunyuan-A13B (2025).
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, linears, swiglu
from moebench.interop.rope import positions_of
from moebench.models.grouped_query import GroupedQueryAttention, QueryKeyNorm
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import TopK

NAMES = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"}
NAMES |= {"query_norm": "query_layernorm", "key_norm": "key_layernorm"}


def build(config: Config) -> Mixtral:
    """Make the model."""
    config.refuse(attention_bias=False, use_qk_norm=True, use_cla=False, moe_layer_num_skipped=0)
    hidden = config["intermediate_size"]
    for name, only in (("moe_intermediate_size", hidden), ("num_shared_expert", 1)):
        if config.get(name) is not None and alike(config, name) != only:
            raise ValueError(f"{FILE}: {name}={config[name]} is not supported, only {only}")
    of_token = "moe_topk" if config.get("num_experts_per_tok") is None else "num_experts_per_tok"
    experts, k = alike(config, "num_experts"), alike(config, of_token)
    kv_heads, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    norm = QueryKeyNorm("head", config["rms_norm_eps"], turned=True)
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size"),
        Sparse(
            lambda dim: TopK(dim, experts, k),
            lambda dim, count: SwiGLU(dim, count, hidden),
            every=1,
        ),
        lambda dim: Shared(dim, hidden),
        lambda dim, heads: GroupedQueryAttention(dim, heads, kv_heads, head_width, norm=norm),
        positions_of(stretched(config)),
    )


def alike(config: Config, name: str) -> int:
    """Return a number that may stand once for each layer; ValueError if layers differ."""
    value = config[name]
    numbers = set(value) if isinstance(value, list) else {value}
    if len(numbers) != 1:
        raise ValueError(f"{FILE}: {name}={value}: layers that differ are not supported")
    return int(numbers.pop())


def stretched(config: Config) -> Config:
    """Return the settings with the base of the positions as it is used.

    What the files call dynamic positions and give an `alpha` is, for texts of every length, a
    larger base (NTK-aware scaling).
    """
    rope = config.get("rope_scaling") or config.get("rope_parameters", {})
    alpha, kind = rope.get("alpha"), rope.get("rope_type") or rope.get("type")
    if kind != "dynamic" or not alpha:
        return config
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    base = rope.get("rope_theta") or config.get("rope_theta", 10_000.0)
    base *= alpha ** (width / (width - 2))
    return config.but(rope_parameters={"rope_theta": base}, rope_scaling=None)


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, lambda *given: linears(given[0], NAMES, *given[1:]), _mixture)


def _mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[Piece]:
    yield Piece(f"{theirs}mlp.gate.wg.weight", f"{ours}router.score.weight")
    for expert in range(layer.experts.get_parameter("down_EFD").shape[0]):
        there = f"{theirs}mlp.experts.{expert}."
        yield from swiglu(layer.experts, there, f"{ours}experts.", expert)
    shared = layer.get_submodule("shared.expert")
    yield from swiglu(shared, f"{theirs}mlp.shared_mlp.", f"{ours}shared.expert.", 0)


def fits(parts: Parts) -> bool:
    """Say whether a model is one of these."""
    attention = parts.attention
    return (
        isinstance(attention, GroupedQueryAttention)
        and attention.norm is not None
        and attention.norm.turned
        and isinstance(parts.router, TopK)
        and isinstance(parts.shared, Shared)
        and parts.all_sparse
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    attention = parts.attention
    return {
        "intermediate_size": parts.hidden,
        "num_experts": parts.num_experts,
        "moe_topk": parts.router.k,
        "num_key_value_heads": attention.key.out_features // attention.head_width,
        "head_dim": attention.head_width,
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
    pieces,
    fits,
    settings,
)
