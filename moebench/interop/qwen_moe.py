"""What both generations of Qwen's mixtures share: which layers are sparse, and their router."""

from typing import Any

from moebench.interop import heads
from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.mixtures import pattern, sparse_of, top_k_of
from moebench.moe.layer import Sparse


def layers_of(config: Config, experts: int) -> tuple[Sparse, int]:
    """Return the parts of the mixtures, and the number of layers before the first.

    Raises:
        ValueError: for a pattern of sparse layers that a decoder here cannot have.
    """
    step, only = config.get("decoder_sparse_step", 1), config.get("mlp_only_layers", [])
    layers = config["num_hidden_layers"]
    wanted = [n for n in range(layers) if (n + 1) % step == 0 and n not in only]
    described = f"mlp_only_layers={only}, decoder_sparse_step={step}"
    dense, every = pattern(wanted, layers, described)
    return sparse_of(top_k_of(config, experts), config["moe_intermediate_size"], every), dense


def window_of(config: Config) -> int | None:
    """Return the window, None if it is switched off."""
    return config.get("sliding_window") if config.get("use_sliding_window", False) else None


def settings(parts: Parts) -> dict[str, Any]:
    """Return the settings that both have in config.json."""
    return {
        **heads.settings(parts),
        "intermediate_size": parts.model.shape.hidden,
        "moe_intermediate_size": parts.hidden,
        "num_experts": parts.num_experts,
        "num_experts_per_tok": parts.router.k,
        "norm_topk_prob": parts.router.normalised,
        "decoder_sparse_step": 1,
        "mlp_only_layers": parts.dense,
    }
