"""Every router of the family, and every wrapper, keeps the contract of routers."""

import pytest
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.overflow import OVERFLOW
from moebench.moe.routers import ROUTERS, InputDropout, Switch, TopK
from moebench.testing import RouterContract


def k_of(name: str, num_experts: int) -> dict[str, int]:
    """Routers with a choice of k get two experts where there are two."""
    with_k = {"top_k", "softmax_top_k", "random", "group_limited", "sigmoid_top_k"}
    return {"k": min(2, num_experts)} if name in with_k else {}


def test_the_families_are_not_empty() -> None:
    assert {"everyone", "top_k", "softmax_top_k", "switch", "hashed", "random"} <= set(ROUTERS)
    assert {"drop", "next_expert"} <= set(OVERFLOW)


@pytest.mark.parametrize("name", ROUTERS)
class TestFamily(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name
        if name == "random":
            self.random_in_eval_because = "it is the control that draws anew at each call"

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return ROUTERS[self.name](dim, num_experts, **k_of(self.name, num_experts))


class TestTopOne(RouterContract):
    no_gradient_because = "the softmax over a single score is one whatever the score is"

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return TopK(dim, num_experts, k=1)


@pytest.mark.parametrize("rule", OVERFLOW)
@pytest.mark.parametrize("priority", ["choice", "position", "score", "random"])
class TestLimited(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, rule: str, priority: str) -> None:
        self.rule, self.priority = rule, priority
        if priority == "random":
            self.random_in_eval_because = "the order in which room is handed out is drawn"

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return Limited(
            dim,
            lambda width: TopK(width, num_experts, min(2, num_experts)),
            Capacity(factor=1.0, minimum=1, priority=self.priority),
            OVERFLOW[self.rule],
        )


@pytest.mark.parametrize("rule", OVERFLOW)
class TestLimitedSwitch(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, rule: str) -> None:
        self.rule = rule

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return Limited(
            dim,
            lambda width: Switch(width, num_experts),
            Capacity(factor=0.5, minimum=1),
            OVERFLOW[self.rule],
        )


class TestInputDropout(RouterContract):
    def make(self, dim: int, num_experts: int) -> nn.Module:
        return InputDropout(dim, lambda width: Switch(width, num_experts), rate=0.25)
