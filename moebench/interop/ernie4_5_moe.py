"""ERNIE 4.5 21B-A3B and 300B-A47B: a bias in the choice of experts, a router kept in float32.

Weights of the modules that predict further tokens are not part of the decoder and are left out,
with a warning.

Source: ERNIE team 2025, ERNIE 4.5 technical report, and the code released with it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from moebench.interop import heads
from moebench.interop.architecture import Architecture
from moebench.interop.config import FILE, Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import pattern, sparse_of
from moebench.interop.rope import positions_of
from moebench.interop.weight_mapping import TensorMapping, grouped_query, routed, shared_expert
from moebench.models.decoder import RotaryDecoder
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer
from moebench.moe.routers import BiasedTopK

SMALLEST_SUM = 1e-6  # the largest supported floor under the sum of the chosen probabilities


def build(config: Config) -> RotaryDecoder:
    """Build the model.

    Raises:
        ValueError: if the floor under the sum of weights is so high that it would take effect.
    """
    config.refuse(use_bias=False)
    floor = config["moe_norm_min"]
    if floor > SMALLEST_SUM:
        raise ValueError(f"{FILE}: moe_norm_min={floor} is not supported, at most {SMALLEST_SUM}")
    dense_layers, every = layers_of(config)
    experts, k = config["moe_num_experts"], config["moe_k"]
    return RotaryDecoder(
        config["vocab_size"],
        config.shape("intermediate_size", dense_layers),
        sparse_of(lambda dim: BiasedTopK(dim, experts, k), config["moe_intermediate_size"], every),
        shared_of(config),
        heads.attention_of(config),
        positions_of(config, interleaved=True),
    )


def layers_of(config: Config) -> tuple[int, int]:
    """Return the number of layers before the first mixture, and n if every n-th then has one."""
    layers, every = config["num_hidden_layers"], config["moe_layer_interval"]
    first, last = config["moe_layer_start_index"], config["moe_layer_end_index"]
    end = layers - 1 if last == -1 else last
    wanted = [n for n in range(layers) if (n + 1) % every == 0 and first <= n <= end]
    ends = f"moe_layer_start_index={first}, moe_layer_end_index={last}"
    return pattern(wanted, layers, f"{ends}, moe_layer_interval={every}")


def shared_of(config: Config) -> Callable[[int], nn.Module] | None:
    """Return a function that makes the shared experts from the width; None without any."""
    hidden = config["moe_num_shared_experts"] * config["moe_intermediate_size"]
    return (lambda dim: Shared(dim, hidden)) if hidden else None


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    bias = f"{theirs}mlp.moe_statics.e_score_correction_bias"
    yield TensorMapping(bias, f"{ours}router.bias_E", row=True)
    yield from routed(layer, theirs, ours)
    if layer.shared is not None:
        yield from shared_expert(layer, f"{theirs}mlp.shared_experts.", ours)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    return (
        heads.fits(parts, None)
        and parts.attention.query.bias is None
        and parts.model.positions.interleaved
        and isinstance(parts.router, BiasedTopK)
        and (parts.shared is None or isinstance(parts.shared, Shared))
    )


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    sparse = parts.sparse
    return {
        **heads.settings(parts),
        "intermediate_size": parts.model.shape.hidden,
        "moe_intermediate_size": parts.hidden,
        "moe_num_experts": parts.num_experts,
        "moe_num_shared_experts": parts.shared_hidden // parts.hidden,
        "moe_k": parts.router.k,
        "moe_layer_start_index": sparse[0],
        "moe_layer_end_index": sparse[-1],
        "moe_layer_interval": sparse[1] - sparse[0] if len(sparse) > 1 else 1,
        "moe_norm_min": 1e-12,
        "use_bias": False,
    }


ERNIE4_5_MOE = Architecture(
    "ernie4_5_moe",
    "Ernie4_5_MoeForCausalLM",
    {
        "moe_num_experts": 64,
        "moe_num_shared_experts": 2,
        "moe_k": 6,
        "moe_layer_start_index": 1,
        "moe_layer_end_index": -1,
        "moe_layer_interval": 1,
        "moe_norm_min": 1e-12,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500_000.0,
        "max_position_embeddings": 131_072,
        "tie_word_embeddings": True,
    },
    build,
    grouped_query,
    mixture,
    fits,
    settings,
    lambda config: ("model.mtp_",),
    ("router.score.weight",),
    (("mlp.moe_statics.", "mlp.gate.moe_statics."),),
)
