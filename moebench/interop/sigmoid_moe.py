"""The mixture of DeepSeek-V3, which other decoders share: sigmoid router, shared experts.

Source: DeepSeek-AI 2024 (arXiv 2412.19437), section 2.1.2.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import deepseek, mixtures
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.weight_mapping import TensorMapping
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import SigmoidTopK


def sparse_of(config: Config) -> Sparse:
    """Return the parts of the mixtures."""
    experts, k = config["n_routed_experts"], config["num_experts_per_tok"]
    groups, kept = config["n_group"], config["topk_group"]
    factor, normalised = config["routed_scaling_factor"], config["norm_topk_prob"]
    return mixtures.sparse_of(
        lambda dim: SigmoidTopK(dim, experts, k, groups, kept, factor, normalised),
        config["moe_intermediate_size"],
    )


def mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of a mixture."""
    yield TensorMapping(f"{theirs}mlp.gate.e_score_correction_bias", f"{ours}router.bias_E")
    yield from deepseek.mixture(layer, theirs, ours)


def fits(parts: Parts) -> bool:
    """Return whether a model has such mixtures and dense layers."""
    return isinstance(parts.router, SigmoidTopK) and deepseek.fits(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings of the router in config.json.

    Raises:
        ValueError: for groups of one expert, of which readers need the two best.
    """
    if parts.num_experts < 2 * parts.router.groups:
        raise ValueError(
            f"router.groups={parts.router.groups}: must leave each group two of the "
            f"{parts.num_experts} experts, or transformers cannot use the checkpoint"
        )
    return {
        "n_group": parts.router.groups,
        "topk_group": parts.router.kept,
        "routed_scaling_factor": parts.router.factor,
        "norm_topk_prob": parts.router.normalised,
    }


def spare(config: Config) -> tuple[str, ...]:
    """Return the prefixes of the names of extra layers, which predict further tokens."""
    layers = config["num_hidden_layers"]
    more = config.get("num_nextn_predict_layers", 0)
    return tuple(f"model.layers.{layer}." for layer in range(layers, layers + more))
