"""Granite with shared experts, as in IBM's research checkpoints.

Source: the code released for them in transformers (2025).
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import granitemoe
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.weight_mapping import TensorMapping, grouped_query
from moebench.models.decoder import RotaryDecoder
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer


def build(config: Config) -> RotaryDecoder:
    """Build the model."""
    hidden = config["shared_intermediate_size"]
    return granitemoe.build(config, (lambda dim: Shared(dim, hidden)) if hidden else None)


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture; gate and up of its shared experts are one matrix."""
    yield from granitemoe.mixture(layer, theirs, ours)
    if layer.shared is not None:
        there, here = f"{theirs}shared_mlp.", f"{ours}shared.expert."
        yield TensorMapping(f"{there}input_linear.weight", f"{here}gate_up_EDF", expert=0)
        yield TensorMapping(f"{there}output_linear.weight", f"{here}down_EFD", expert=0)


def fits(parts: Parts) -> bool:
    """Return whether a model has this architecture."""
    shared = parts.shared is None or isinstance(parts.shared, Shared)
    return shared and granitemoe.fits_but_for_shared(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings for config.json."""
    return {**granitemoe.settings(parts), "shared_intermediate_size": parts.shared_hidden}


GRANITEMOESHARED = Architecture(
    "granitemoeshared",
    "GraniteMoeSharedForCausalLM",
    {**granitemoe.GRANITEMOE.defaults, "shared_intermediate_size": 0},
    build,
    grouped_query,
    mixture,
    fits,
    settings,
    in_memory=granitemoe.IN_MEMORY,
)
