"""Mixtral 8x7B and 8x22B.

Source: Jiang et al. 2024 (arXiv 2401.04088), section 2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import heads
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import TensorMapping, expert_list, grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.moe.layer import MoELayer
from moebench.moe.routers import TopK

IN_MEMORY = (("block_sparse_moe.", "mlp."),)


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    experts, k = config["num_local_experts"], config["num_experts_per_tok"]
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size"),
        sparse_of(lambda dim: TopK(dim, experts, k), config["intermediate_size"]),
        attention=heads.attention_of(config),
        positions=positions_of(config, config.get("sliding_window")),
    )


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    yield TensorMapping(f"{theirs}block_sparse_moe.gate.weight", f"{ours}router.score.weight")
    yield from expert_list(layer, f"{theirs}block_sparse_moe.", ours, ("w1", "w3", "w2"))


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, None)
        and not parts.multiplied
        and parts.attention.query.bias is None
        and parts.all_sparse
        and isinstance(parts.router, TopK)
        and parts.shared is None
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {
        **heads.settings(parts),
        "intermediate_size": parts.hidden,
        "num_local_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "sliding_window": parts.model.positions.window,
    }


MIXTRAL = Architecture(
    "mixtral",
    "MixtralForCausalLM",
    {
        "num_experts_per_tok": 2,
        "num_local_experts": 8,
        "rms_norm_eps": 1e-5,
        "rope_theta": 1_000_000.0,
        "max_position_embeddings": 131_072,
    },
    build,
    grouped_query,
    mixture,
    fits,
    settings,
    in_memory=IN_MEMORY,
)
