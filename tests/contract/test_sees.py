"""Parts see what they declare, however they are combined."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from moebench.moe import Capacity, Limited
from moebench.moe.capacity.overflow import OVERFLOW, Drop
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers import (
    Batchwise,
    Hierarchical,
    InputDropout,
    Random,
    Switch,
    Tempered,
    TopK,
)
from moebench.moe.sees import Sees, all_seen, sees
from moebench.testing.sight import LENGTH, measured
from moebench.testing.tokens import D, E

PRIORITIES = ("choice", "position", "score", "random")
GROUPS = (None, 2 * LENGTH, LENGTH, LENGTH // 2)


def limited(k: int, priority: str, rule: str, group: int | None, factor: float = 0.75) -> Limited:
    torch.manual_seed(0)
    capacity = Capacity(factor=factor, minimum=1, priority=priority, group=group)
    return Limited(D, lambda dim: TopK(dim, E, k), capacity, OVERFLOW[rule])


def seen(router: nn.Module) -> Sees:
    def decide(x_TD: Tensor) -> RoutingDecision:
        torch.manual_seed(1)
        decision: RoutingDecision = router(x_TD)
        return decision

    return measured(decide)


@pytest.mark.parametrize(("k", "priority", "rule"), itertools.product((1, 2), PRIORITIES, OVERFLOW))
def test_queues_of_a_sequence(k: int, priority: str, rule: str) -> None:
    """Within sequences only queues in their order leave later tokens out."""
    router = limited(k, priority, rule, LENGTH)
    in_order = rule == "drop" and (priority == "position" or (priority == "choice" and k == 1))
    said = sees(router, LENGTH, True)
    assert said == (Sees.CAUSAL if in_order else Sees.SEQUENCE)
    assert seen(router) == said


@pytest.mark.parametrize(("priority", "rule"), [("position", "drop"), ("score", "next_expert")])
@pytest.mark.parametrize("group", GROUPS)
def test_queues_across_sequences(group: int | None, priority: str, rule: str) -> None:
    """A group that crosses the border of a sequence sees others, one within it does not."""
    router = limited(1, priority, rule, group)
    said = sees(router, LENGTH, True)
    assert (Sees.OTHERS in said) == (group in (None, 2 * LENGTH))
    # Pairs of three sequences do not divide; what they see is what all together see.
    assert group == 2 * LENGTH or seen(router) == said


def test_unlimited_capacity_is_no_queue() -> None:
    router = limited(2, "score", "next_expert", None, factor=float(E))
    assert sees(router, LENGTH, True) == seen(router) == Sees.TOKEN


def test_training_and_evaluation_have_a_capacity_each() -> None:
    router = Limited(
        D,
        lambda dim: Switch(dim, E),
        Capacity(factor=0.75, group=LENGTH),
        eval_capacity=Capacity(factor=0.75, priority="score"),
    )
    assert sees(router, LENGTH, True) == Sees.CAUSAL
    assert sees(router, LENGTH, False) == Sees.BATCH
    assert seen(router.eval()) == Sees.BATCH


def test_wrappers_see_what_their_parts_see() -> None:
    def tight(dim: int, experts: int = E) -> Limited:
        return Limited(
            dim, lambda width: Switch(width, experts), Capacity(0.75, minimum=1, group=LENGTH)
        )

    assert sees(InputDropout(D, tight), LENGTH, True) == Sees.CAUSAL
    assert sees(Tempered(D, tight, 2.0), LENGTH, True) == Sees.CAUSAL
    warm = Limited(D, lambda dim: Tempered(dim, switch, 2.0), Capacity(0.75, group=LENGTH))
    assert sees(warm, LENGTH, True) == seen(warm) == Sees.CAUSAL, "one choice, as Switch has"
    assert sees(InputDropout(D, balanced), LENGTH, True) == Sees.BATCH
    assert sees(InputDropout(D, balanced), LENGTH, False) == Sees.TOKEN
    twice = Limited(D, tight, Capacity(factor=0.75, group=LENGTH, priority="score"))
    assert sees(twice, LENGTH, True) == Sees.SEQUENCE
    inner = Hierarchical(D, E, 2, lambda dim, n: TopK(dim, n, 1), tight)
    assert sees(inner, LENGTH, True) == Sees.CAUSAL | Sees.OTHERS, "a group gets no sequences"


def switch(dim: int) -> Switch:
    return Switch(dim, E)


def balanced(dim: int) -> Batchwise:
    return Batchwise(dim, E)


class SilentRouter(Switch):
    """Overrides `forward`, and inherits no declaration of what it sees."""

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD.flip(0))
        return decision


class SilentRule(Drop):
    """An overflow rule that declares nothing either."""

    def forward(self, decision: RoutingDecision, *others: object) -> RoutingDecision:
        return decision


def test_without_a_declaration_it_is_unknown() -> None:
    def silent(dim: int) -> SilentRouter:
        return SilentRouter(dim, E)

    assert sees(silent(D), LENGTH, True) is None
    assert sees(nn.Identity(), LENGTH, True) is None
    assert sees(Limited(D, silent, Capacity()), LENGTH, True) is None
    assert sees(InputDropout(D, silent), LENGTH, True) is None
    rule = Limited(D, lambda dim: Random(dim, E), Capacity(), SilentRule)
    assert sees(rule, LENGTH, True) is None
    assert all_seen(Sees.CAUSAL, Sees.OTHERS) == Sees.CAUSAL | Sees.OTHERS
    assert all_seen(Sees.CAUSAL, None) is None
