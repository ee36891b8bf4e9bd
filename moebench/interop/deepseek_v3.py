"""DeepSeek-V3 and R1: sigmoid router with a bias in the choice.

Weights of the modules that predict further tokens stand in extra layers of a checkpoint. They are
no part of the decoder and are left out, which the reader says.

Source: DeepSeek-AI 2024 (arXiv 2412.19437), section 2.1.
"""

from collections.abc import Iterator
from typing import Any

from moebench.interop import deepseek
from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.interop.parts import Parts
from moebench.interop.pieces import Piece, decoder, latent
from moebench.interop.rope import positions_of
from moebench.models.latent_attention import LatentAttention
from moebench.models.mixtral_2024 import Mixtral
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import SigmoidTopK


def build(config: Config) -> Mixtral:
    """Make the model."""
    config.refuse(scoring_func="sigmoid", topk_method="noaux_tc", moe_layer_freq=1)
    hidden, experts = config["moe_intermediate_size"], config["n_routed_experts"]
    shared, k = config["n_shared_experts"] * hidden, config["num_experts_per_tok"]
    groups, kept = config["n_group"], config["topk_group"]
    factor, normalised = config["routed_scaling_factor"], config["norm_topk_prob"]
    widths = deepseek.latent_of(config)
    return Mixtral(
        config["vocab_size"],
        config.shape("intermediate_size", config["first_k_dense_replace"]),
        Sparse(
            lambda dim: SigmoidTopK(dim, experts, k, groups, kept, factor, normalised),
            lambda dim, count: SwiGLU(dim, count, hidden),
            every=1,
        ),
        lambda dim: Shared(dim, shared),
        lambda dim, heads: LatentAttention(dim, heads, widths),
        positions_of(config, interleaved=config["rope_interleave"]),
    )


def pieces(model: Mixtral) -> Iterator[Piece]:
    """Yield the names."""
    return decoder(model, latent, _mixture)


def _mixture(layer: MoELayer, theirs: str, ours: str) -> Iterator[Piece]:
    yield Piece(f"{theirs}mlp.gate.e_score_correction_bias", f"{ours}router.bias_E")
    yield from deepseek.mixture(layer, theirs, ours)


def fits(parts: Parts) -> bool:
    """Say whether a model is one of these."""
    ours = isinstance(parts.attention, LatentAttention) and isinstance(parts.router, SigmoidTopK)
    return ours and deepseek.fits(parts)


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says."""
    return {
        **deepseek.settings(parts),
        "n_group": parts.router.groups,
        "topk_group": parts.router.kept,
        "routed_scaling_factor": parts.router.factor,
        "norm_topk_prob": parts.router.normalised,
        "rope_interleave": parts.model.positions.interleaved,
        "num_nextn_predict_layers": 0,
    }


def spare(config: Config) -> tuple[str, ...]:
    """Return the beginnings of the names of the extra layers."""
    layers = config["num_hidden_layers"]
    more = config.get("num_nextn_predict_layers", 0)
    return tuple(f"model.layers.{layer}." for layer in range(layers, layers + more))


DEEPSEEK_V3 = Architecture(
    "deepseek_v3",
    "DeepseekV3ForCausalLM",
    {
        "first_k_dense_replace": 3,
        "routed_scaling_factor": 2.5,
        "n_shared_experts": 1,
        "n_group": 8,
        "topk_group": 4,
        "norm_topk_prob": True,
        "rope_interleave": True,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 4096,
    },
    build,
    pieces,
    fits,
    settings,
    spare,
)
