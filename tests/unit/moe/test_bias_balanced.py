"""The loss-free bias, by hand, and where its updates arrive."""

import pytest
import torch
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.contract import has_state, update
from moebench.moe.routers import BiasBalanced, BiasedTopK, SigmoidTopK, Tempered, TopK

from .fakes import asking

D, E = 8, 4


@pytest.mark.parametrize("kind", [SigmoidTopK, BiasedTopK])
def test_the_loss_free_bias_by_hand(kind: type[nn.Module]) -> None:
    """Of 8 assignments in two batches, 2 are an even share; experts have 5, 2, 1 and 0 of them."""
    router = BiasBalanced(D, lambda dim: kind(dim, 4, 1), rate=0.25)
    update(router, [asking(0, 0, 0, 1), asking(0, 0, 1, 2)])
    assert router.router.bias_E.tolist() == [-0.25, 0.0, 0.25, 0.25]
    update(router, [asking(3)])
    assert router.router.bias_E.tolist() == [0.0, 0.25, 0.5, 0.0]


def test_a_bias_counts_requests_before_capacity() -> None:
    def tight(dim: int) -> Limited:
        return Limited(dim, lambda d: BiasedTopK(d, E, 1), Capacity(factor=0.5, minimum=1))

    router = BiasBalanced(D, tight, rate=1.0)
    decision = router(torch.ones(8, D))
    [favourite] = decision.requested_A.unique().tolist()
    assert decision.kept_A.sum() == 1
    update(router, [decision])
    expected = [-1.0 if expert == favourite else 1.0 for expert in range(E)]
    assert router.router.router.bias_E.tolist() == expected


def test_it_needs_a_bias() -> None:
    with pytest.raises(ValueError, match="router=Tempered: has no bias_E to update; BiasedTopK"):
        BiasBalanced(D, lambda dim: Tempered(dim, lambda d: TopK(d, E)))
    with pytest.raises(ValueError, match="rate=-1: must be at least 0"):
        BiasBalanced(D, lambda dim: BiasedTopK(dim, E), rate=-1)


def test_wrappers_pass_the_update_on() -> None:
    wrapped = Limited(D, lambda dim: BiasBalanced(dim, lambda d: BiasedTopK(d, E)), Capacity())
    assert has_state(wrapped)
    assert not has_state(Limited(D, lambda dim: BiasedTopK(dim, E), Capacity()))
    update(wrapped, [asking(0, 0, 1)])
    assert wrapped.router.router.bias_E.any()
