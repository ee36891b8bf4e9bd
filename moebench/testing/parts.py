"""Parts for tests, built from the parameters that their classes take."""

import inspect
from typing import Any

from torch import nn

from moebench.moe.capacity.limit import Capacity
from moebench.moe.routers import BiasedTopK, TopK


def make_router(kind: type[nn.Module], dim: int, num_experts: int) -> nn.Module:
    """Return a router, or a wrapper around one.

    It chooses k = 2 experts if there are that many, in two groups if it takes groups, and may be
    part of a causal model. Other parameters keep their defaults.
    """
    two = min(2, num_experts)

    def inner(width: int, count: int = num_experts) -> nn.Module:
        return BiasedTopK(width, count, min(2, count))

    def top_two(width: int, count: int) -> nn.Module:
        return TopK(width, count, min(2, count))

    return _made(
        kind,
        dim=dim,
        num_experts=num_experts,
        k=two,
        groups=two,
        allow_leaks=True,
        router=inner,
        primary=top_two,
        secondary=top_two,
        capacity=Capacity(factor=1.5, minimum=1),
    )


def make_experts(kind: type[nn.Module], dim: int, num_experts: int, hidden: int = 16) -> nn.Module:
    """Return experts, with this many hidden features if they have any."""
    return _made(kind, dim=dim, num_experts=num_experts, hidden=hidden)


def _made(kind: type[nn.Module], **given: Any) -> nn.Module:
    """Build a part with those of the arguments that it takes."""
    taken = inspect.signature(kind).parameters
    return kind(**{name: value for name, value in given.items() if name in taken})
