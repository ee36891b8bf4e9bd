"""Numbers of the right kind with which a router could not route."""

import math
from collections.abc import Callable

import pytest
from torch import nn

from moebench.moe.routers import (
    BalancedHash,
    GroupLimited,
    Hashed,
    HashTable,
    SigmoidTopK,
    TopK,
)


@pytest.mark.parametrize("router", [GroupLimited, SigmoidTopK])
@pytest.mark.parametrize("factor", [math.nan, math.inf, -1.0, 0.0])
def test_a_factor_on_the_weights(router: Callable[..., nn.Module], factor: float) -> None:
    with pytest.raises(ValueError, match=f"^factor={factor}: must be above 0 and finite$"):
        router(8, 4, factor=factor)


@pytest.mark.parametrize("router", [BalancedHash, Hashed, HashTable])
def test_a_seed_that_no_generator_takes(router: Callable[..., nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"^seed=10+: must be a whole number of 64 bits$"):
        router(8, 4, seed=10**30)


@pytest.mark.parametrize("dim", [0, -1])
def test_a_token_without_width(dim: int) -> None:
    with pytest.raises(ValueError, match=f"^dim={dim}: must be at least 1$"):
        TopK(dim, 4)
