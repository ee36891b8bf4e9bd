"""Every router of the family, and every wrapper, keeps the contract of routers."""

import pytest
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.overflow import OVERFLOW
from moebench.moe.routers import (
    ROUTERS,
    Hierarchical,
    InputDropout,
    NoisyTopK,
    Switch,
    Tempered,
    TopK,
)
from moebench.testing import RouterContract

WITH_K = {"batchwise", "noisy_top_k", "random", "softmax_top_k", "top_k"}
WITH_K |= {"biased_top_k", "group_limited", "sigmoid_top_k"}


def top_two(dim: int, num_experts: int) -> TopK:
    return TopK(dim, num_experts, min(2, num_experts))


def arguments(name: str, num_experts: int) -> dict[str, object]:
    """Routers with a choice of k get two experts where there are two, in two groups if any."""
    if name == "hierarchical":
        return {"groups": min(2, num_experts), "primary": top_two, "secondary": top_two}
    return {"k": min(2, num_experts)} if name in WITH_K else {}


def test_the_families_are_not_empty() -> None:
    assert {"everyone", "switch", "hashed", "hierarchical", *WITH_K} <= set(ROUTERS)
    assert {"drop", "next_expert"} <= set(OVERFLOW)


@pytest.mark.parametrize("name", ROUTERS)
class TestFamily(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name
        if name == "random":
            self.random_in_eval_because = "it is the control that draws anew at each call"
        if name == "batchwise":
            self.no_gradient_to = {"threshold_E": "it is compared with; it has a loss of its own"}
        if name == "noisy_top_k":
            self.fewest_experts = 2

    def fewest_tokens(self, num_experts: int) -> int:
        """A batch-wise gate needs as many as there are experts."""
        return num_experts if self.name == "batchwise" else 1

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return ROUTERS[self.name](dim, num_experts, **arguments(self.name, num_experts))


class TestNoisyHierarchy(RouterContract):
    no_gradient_because = "one of two on both levels, and the softmax over a single score is one"
    fewest_experts = 2
    shares_noise_because = "a group draws for its own tokens, so their number moves each share"

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return Hierarchical(
            dim,
            num_experts,
            groups=2,
            primary=lambda width, count: NoisyTopK(width, count, k=1),
            secondary=lambda width, count: NoisyTopK(width, count, k=1),
        )


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
            Capacity(factor=1.5, minimum=1, priority=self.priority),
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


class TestTempered(RouterContract):
    def make(self, dim: int, num_experts: int) -> nn.Module:
        return Tempered(dim, lambda width: Switch(width, num_experts), temperature=0.5)
