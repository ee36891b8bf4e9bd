"""Mixtures of SwiGLU experts in the settings of a checkpoint, and which layers have one."""

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
        every: the n-th, 2n-th, ... layer has one.
    """
    return Sparse(router, lambda dim, count: SwiGLU(dim, count, hidden), every=every)


def top_k_of(config: Config, experts: int) -> Callable[[int], nn.Module]:
    """Return what makes a softmax router, before the choice unless weights are normalised."""
    k = config["num_experts_per_tok"]
    router = TopK if config.get("norm_topk_prob", False) else SoftmaxTopK
    return lambda dim: router(dim, experts, k)


def pattern(sparse: Sequence[int], layers: int, said: str) -> tuple[int, int]:
    """Return how many layers come before the first mixture, and that every n-th then has one.

    Args:
        sparse: numbers of the layers with a mixture, from 0.
        layers: how many layers there are.
        said: the settings that say so, for the message.

    Raises:
        ValueError: for a pattern that a decoder here cannot have.
    """
    dense = sparse[0] if sparse else layers
    for every in range(1, layers + 1):
        if list(sparse) == [n for n in range(dense, layers) if (n + 1) % every == 0]:
            return dense, every
    raise ValueError(
        f"{FILE}: {said}: the layers after the first mixture must have one every so many"
    )
