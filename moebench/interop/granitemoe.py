"""Granite 3.0 and 3.1, 1B-A400M and 3B-A800M: Mixtral with constant multipliers.

Source: the released configurations and code of IBM's Granite 3.0 language models (2024).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from torch import nn

from moebench.interop import heads
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import sparse_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import TensorMapping, grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.models.grouped_query import AttentionScore
from moebench.models.multipliers import Multipliers
from moebench.moe.layer import MoELayer
from moebench.moe.routers import TopK

IN_MEMORY = (  # parts of names in files, and of those in memory
    ("block_sparse_moe.input_linear.weight", "block_sparse_moe.experts.gate_up_proj"),
    ("block_sparse_moe.output_linear.weight", "block_sparse_moe.experts.down_proj"),
    ("router.layer.", "router."),
)


def build(config: Config, shared: Callable[[int], nn.Module] | None = None) -> RotaryDecoder:
    """Build the model; `shared` makes, from the width, the shared experts of a variant."""
    config.refuse(attention_bias=False)
    experts, k = config["num_local_experts"], config["num_experts_per_tok"]
    factors = Multipliers(
        config["embedding_multiplier"], config["residual_multiplier"], config["logits_scaling"]
    )
    return RotaryDecoder(
        config["vocab_size"],
        replace(config.shape("intermediate_size"), multipliers=factors),
        sparse_of(lambda dim: TopK(dim, experts, k), config["intermediate_size"]),
        shared,
        heads.attention_of(config, comparison=AttentionScore(scale=config["attention_multiplier"])),
        positions_of(config),
    )


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture, whose experts are stacked."""
    there = f"{theirs}block_sparse_moe."
    yield TensorMapping(f"{there}router.layer.weight", f"{ours}router.score.weight")
    yield TensorMapping(f"{there}input_linear.weight", f"{ours}experts.gate_up_EDF", stacked=True)
    yield TensorMapping(f"{there}output_linear.weight", f"{ours}experts.down_EFD", stacked=True)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return fits_but_for_shared(parts) and parts.shared is None


def fits_but_for_shared(parts: Parts) -> bool:
    """Return whether a model has this architecture, whatever its shared experts."""
    return (
        heads.fits(parts, None)
        and parts.attention.query.bias is None
        and parts.model.positions.window is None
        and parts.all_sparse
        and isinstance(parts.router, TopK)
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    factors, attention = parts.model.shape.multipliers, parts.attention
    return {
        **heads.settings(parts),
        "intermediate_size": parts.hidden,
        "num_local_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "attention_bias": False,
        "embedding_multiplier": factors.embedding,
        "residual_multiplier": factors.residual,
        "logits_scaling": factors.logits,
        "attention_multiplier": attention.scale or attention.head_width**-0.5,
    }


GRANITEMOE = Architecture(
    "granitemoe",
    "GraniteMoeForCausalLM",
    {
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "embedding_multiplier": 1.0,
        "residual_multiplier": 1.0,
        "logits_scaling": 1.0,
        "attention_multiplier": 1.0,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 2048,
    },
    build,
    grouped_query,
    mixture,
    fits,
    settings,
    in_memory=IN_MEMORY,
)
