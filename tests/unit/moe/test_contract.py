"""What a router must offer: the part that is missing is named, with where it is described."""

import pytest
import torch
from torch import Tensor, nn

from moebench.moe import Capacity, Limited, MoELayer, Sparse
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch import Grouped
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import Switch
from moebench.testing import RouterContract

D, E = 8, 4


class Pair(nn.Module):
    """A router that returns no decision."""

    num_experts = E

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, x_TD: Tensor) -> tuple[Tensor, Tensor]:
        return x_TD, x_TD


def test_a_missing_part_of_a_router_is_named_with_its_reference() -> None:
    place = "see moebench/moe/contract.py"
    layer = MoELayer(Pair(D), ReluMLP(D, E, 8), Grouped())
    with pytest.raises(ValueError, match=f"router=Pair: returns a tuple, not a Routing.*{place}"):
        layer(torch.randn(3, D))
    for make in (
        Sparse(lambda dim: nn.Identity(), lambda dim, count: ReluMLP(dim, count, 8)).build,
        lambda dim: Limited(dim, lambda d: nn.Identity(), Capacity()),
    ):
        with pytest.raises(ValueError, match=f"router=Identity: has no integer .*, {place}"):
            make(D)


class Hasty(Switch):
    """A router that counts as it decides, and so in validation, too."""

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__(dim, num_experts)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        self.calls += 1
        decision: RoutingDecision = super().forward(x_TD)
        return decision


def test_a_state_that_moves_in_a_call_is_told_where_it_belongs() -> None:
    class OfHasty(RouterContract):
        def make(self, dim: int, num_experts: int) -> nn.Module:
            return Hasty(dim, num_experts)

    told = r"calls: `forward` changes it; only `update\(decisions\)` may change state, see moebench"
    with pytest.raises(AssertionError, match=told):
        OfHasty().test_nothing_is_stored_by_a_call(train=True)
