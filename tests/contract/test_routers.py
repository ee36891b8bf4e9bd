"""Every router, and every wrapper of routers, meets its contract."""

import pytest
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.capacity.overflow import OVERFLOW
from moebench.moe.routers import (
    ROUTERS,
    WRAPPERS,
    BiasBalanced,
    Hierarchical,
    NoisyTopK,
    SigmoidTopK,
    SoftmaxTopK,
    Switch,
    TopK,
)
from moebench.testing import RouterContract
from moebench.testing.parts import make_router

FAMILY = {**ROUTERS, **WRAPPERS}


@pytest.mark.parametrize("name", FAMILY)
class TestFamily(RouterContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name
        if name == "random":
            self.random_in_eval_because = "it is the control that draws anew at each call"
        if name == "batchwise":
            self.no_gradient_to = {"threshold_E": "it is compared with; it has a loss of its own"}
        if name in ("gshard", "noisy_top_k"):
            self.fewest_experts = 2

    def fewest_tokens(self, num_experts: int) -> int:
        """A batch-wise gate needs at least as many tokens as experts."""
        return num_experts if self.name == "batchwise" else 1

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return make_router(FAMILY[self.name], dim, num_experts)


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


class TestBalancedHierarchy(RouterContract):
    """State on the lower level, under a wrapper that knows nothing of it."""

    fewest_experts = 2

    def make(self, dim: int, num_experts: int) -> nn.Module:
        def balanced(width: int, count: int) -> nn.Module:
            return BiasBalanced(width, lambda w: SigmoidTopK(w, count, normalised=False))

        def two_levels(width: int) -> nn.Module:
            return Hierarchical(width, num_experts, 2, SoftmaxTopK, balanced)

        return Limited(dim, two_levels, Capacity(factor=1.5, minimum=1))


class TestTopOne(RouterContract):
    no_gradient_because = "the softmax over a single score is one whatever the score is"

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return TopK(dim, num_experts, k=1)


# A rule sees the queues that a priority has made, so each is tried with one of the other.
@pytest.mark.parametrize(
    ("rule", "priority"),
    [
        *((rule, "choice") for rule in OVERFLOW),
        *(("drop", p) for p in ("position", "score", "random")),
    ],
)
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
