"""Mixtures of SwiGLU experts in a checkpoint's settings, and which layers have them."""

from collections.abc import Callable, Sequence

from torch import nn

from moebench.interop.config import FILE, Config
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import Sparse
from moebench.moe.routers import SoftmaxTopK, TopK


def sparse_of(router: Callable[[int], nn.Module], hidden: int, every: int = 1) -> Sparse:
    """Return the parts of mixtures.

    Args:
        router: makes the router from the width.
        hidden: width F of an expert.
        every: every n-th layer has a mixture.
    """
    return Sparse(router, lambda dim, count: SwiGLU(dim, count, hidden), every=every)


def top_k_of(config: Config, experts: int) -> Callable[[int], nn.Module]:
    """Return a function that makes the router from the width: `TopK` if weights are normalised."""
    k = config["num_experts_per_tok"]
    router = TopK if config.get("norm_topk_prob", False) else SoftmaxTopK
    return lambda dim: router(dim, experts, k)


def pattern(sparse: Sequence[int], layers: int, described: str) -> tuple[int, int]:
    """Return the number of layers before the first mixture, and n if every n-th then has one.

    Args:
        sparse: numbers of the layers with a mixture, from 0.
        layers: number of layers.
        described: the settings that they come from, for the message.

    Raises:
        ValueError: for a pattern that a decoder here cannot have.
    """
    dense = sparse[0] if sparse else layers
    for every in range(1, layers + 1):
        if list(sparse) == [n for n in range(dense, layers) if (n + 1) % every == 0]:
            return dense, every
    raise ValueError(f"{FILE}: {described}: mixtures must follow one another at equal distances")
