"""What the two generations of Qwen's mixtures share: which layers are sparse, and their router."""

from typing import Any

from moebench.interop.config import FILE, Config
from moebench.interop.parts import Parts
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import Sparse
from moebench.moe.routers import SoftmaxTopK, TopK


def sparse_of(config: Config, experts: int) -> tuple[Sparse, int]:
    """Return the parts of the mixtures, and how many layers come before the first.

    Raises:
        ValueError: for a pattern of sparse layers that a decoder here cannot have.
    """
    hidden, k = config["moe_intermediate_size"], config["num_experts_per_tok"]
    router = TopK if config.get("norm_topk_prob", False) else SoftmaxTopK
    step, only = config.get("decoder_sparse_step", 1), config.get("mlp_only_layers", [])
    layers = range(config["num_hidden_layers"])
    wanted = [n for n in layers if (n + 1) % step == 0 and n not in only]
    dense = wanted[0] if wanted else len(layers)  # layers before the first mixture
    steps = (
        every
        for every in range(1, len(layers) + 1)
        if wanted == [n for n in layers if n >= dense and (n + 1) % every == 0]
    )
    every = next(steps, None)
    if every is None:
        raise ValueError(
            f"{FILE}: mlp_only_layers={only}, decoder_sparse_step={step}: the layers after the "
            "first mixture must have one every so many"
        )
    sparse = Sparse(
        lambda dim: router(dim, experts, k),
        lambda dim, count: SwiGLU(dim, count, hidden),
        every=every,
    )
    return sparse, dense


def window_of(config: Config) -> int | None:
    """Return the window, None where it is switched off."""
    return config.get("sliding_window") if config.get("use_sliding_window", False) else None


def settings(parts: Parts) -> dict[str, Any]:
    """Return what config.json says of both."""
    return {
        "num_key_value_heads": parts.attention.key.out_features // parts.attention.head_width,
        "intermediate_size": parts.model.shape.hidden,
        "moe_intermediate_size": parts.hidden,
        "num_experts_per_tok": parts.router.k,
        "norm_topk_prob": isinstance(parts.router, TopK),
        "decoder_sparse_step": 1,
        "mlp_only_layers": parts.dense,
    }
