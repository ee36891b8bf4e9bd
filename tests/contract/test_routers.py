"""Every router of the family, and every wrapper, keeps the contract of routers."""

import pytest
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.overflow import OVERFLOW
from moebench.moe.routers import ROUTERS, InputDropout, Switch, TopK
from moebench.testing import RouterContract

UNLEARNED = {
    "hashed": "has no parameters",
    "random": "has no parameters",
}


def k_of(name: str, num_experts: int) -> dict[str, int]:
    """Routers with a choice of k get two experts where there are two."""
    return {"k": min(2, num_experts)} if name in {"top_k", "softmax_top_k", "random"} else {}


def test_the_family_is_complete() -> None:
    assert {"everyone", "top_k", "softmax_top_k", "switch", "hashed", "random"} <= set(ROUTERS)


@pytest.mark.parametrize("name", ROUTERS)
class TestFamily(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name
        self.no_gradient_because = UNLEARNED.get(name, "")

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return ROUTERS[self.name](dim, num_experts, **k_of(self.name, num_experts))


@pytest.mark.parametrize("rule", OVERFLOW)
@pytest.mark.parametrize("priority", ["choice", "position", "score", "random"])
class TestLimited(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, rule: str, priority: str) -> None:
        self.rule, self.priority = rule, priority

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return Limited(
            dim,
            lambda width: TopK(width, num_experts, min(2, num_experts)),
            Capacity(factor=1.0, minimum=1, priority=self.priority),
            OVERFLOW[self.rule],
        )


class TestInputDropout(RouterContract):
    def make(self, dim: int, num_experts: int) -> nn.Module:
        return InputDropout(dim, lambda width: Switch(width, num_experts), rate=0.25)
