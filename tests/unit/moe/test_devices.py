"""Two devices with half of the tokens each, against one with all of them."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.devices import mean, same_everywhere, totals
from moebench.moe.losses import (
    Importance,
    Load,
    LoadBalance,
    OverDevices,
    StepLoadBalance,
    Weighted,
    WeightedLosses,
    ZLoss,
)
from moebench.moe.noise import NoisyDecision
from moebench.moe.routers import BiasBalanced, BiasedTopK, Hierarchical, NoisyTopK, Switch
from moebench.moe.step import RouterUpdates

from .fakes import asking
from .two_devices import on_two_devices

T, E = 12, 4


def scores() -> Tensor:
    """Uneven ones, so that either half of the tokens prefers other experts."""
    score_TE = torch.randn(T, E, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return score_TE + torch.tensor([[2.0, 1.0, 0.0, 0.0]] * (T // 2) + [[0.0, 0.0, 0.0, 3.0]] * 6)


def noisy(score_TE: Tensor) -> NoisyDecision:
    """The two best of these scores, of which half are noise."""
    top_TK, expert_TK = score_TE.topk(2)
    chosen = tokens_choose(score_TE, score_TE.softmax(-1), expert_TK, top_TK.softmax(-1))
    spread_TE = softplus(score_TE.flip(-1))
    return NoisyDecision(**vars(chosen), clean_TE=score_TE / 2, spread_TE=spread_TE, k=2)


def value_and_gradient(loss: nn.Module, score_TE: Tensor) -> tuple[float, Tensor]:
    score_TE = score_TE.clone().requires_grad_()
    value = loss(noisy(score_TE))
    value.backward()
    return value.item(), score_TE.grad


def halves(loss: nn.Module) -> tuple[list[float], Tensor]:
    """The values of both devices, and the gradient that distributed training takes: the mean."""
    found = on_two_devices(lambda rank: value_and_gradient(loss, scores().chunk(2)[rank]))
    return [value for value, _ in found], torch.cat([gradient for _, gradient in found]) / 2


@pytest.mark.parametrize("loss", [LoadBalance(), Importance(), Load()])
def test_a_loss_over_devices_is_that_of_one_with_the_whole_batch(loss: nn.Module) -> None:
    value, gradient = value_and_gradient(loss, scores())
    assert value_and_gradient(OverDevices(loss), scores())[0] == value, "on one device it is equal"
    together, shared = halves(OverDevices(loss))
    assert together == pytest.approx([value, value])
    torch.testing.assert_close(shared, gradient)
    alone, parted = halves(loss)
    assert alone != pytest.approx([value, value], rel=0.05)
    assert not torch.allclose(parted, gradient, rtol=0.05)


def test_the_load_of_two_levels_is_summed_on_both() -> None:
    """Each group has as many tokens as both devices send it."""
    torch.manual_seed(0)
    router = Hierarchical(
        8, 4, 2, lambda dim, n: NoisyTopK(dim, n, 1), lambda dim, n: NoisyTopK(dim, n, 1)
    ).eval()
    x_TD = torch.randn(T, 8) + torch.ones(T, 8).cumsum(0)
    whole = Load()(router(x_TD)).item()
    found = on_two_devices(lambda rank: OverDevices(Load())(router(x_TD.chunk(2)[rank])).item())
    assert found == pytest.approx([whole, whole], rel=1e-5)


def test_only_what_is_summed_can_be_summed_over_devices() -> None:
    with pytest.raises(ValueError, match=r"losses\.OverDevices: ZLoss does not sum over devices"):
        OverDevices(ZLoss())


def test_the_load_of_a_step_is_that_of_all_devices() -> None:
    def step(rank: int) -> tuple[float, Tensor]:
        losses = WeightedLosses([Weighted(StepLoadBalance())])
        score_TE = scores().chunk(2)[rank].requires_grad_()
        [value] = losses.values([noisy(score_TE)]).values()
        value.backward()
        return mean(value).item(), score_TE.grad

    value, gradient = value_and_gradient(LoadBalance(), scores())
    found = on_two_devices(step)
    assert [each for each, _ in found] == pytest.approx([value, value])
    torch.testing.assert_close(torch.cat([each for _, each in found]) / 2, gradient)


def test_a_bias_counts_the_load_of_all_devices() -> None:
    """Of 8 requests 2 are an even share; experts have 5, 2, 1 and 0 of them."""
    asked = [asking(0, 0, 0, 1), asking(0, 0, 1, 2)]

    def updated(rank: int) -> list[float]:
        router = BiasBalanced(8, lambda dim: BiasedTopK(dim, 4, 1), rate=0.25)
        updates = RouterUpdates([router])
        updates.add([asked[rank]])
        updates.apply()
        return router.router.bias_E.tolist()

    assert on_two_devices(updated) == [[-0.25, 0.0, 0.25, 0.25]] * 2


class Alone(Switch):
    """Counts what its own device has seen."""

    def __init__(self) -> None:
        super().__init__(8, E)
        self.register_buffer("seen_E", torch.zeros(E))

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        for decision in decisions:
            self.seen_E += decision.requested_A.bincount(minlength=E)


def test_a_router_whose_state_differs_between_devices_is_refused() -> None:
    def updated(rank: int) -> None:
        updates = RouterUpdates([Alone()])
        updates.add([asking(rank)])
        updates.apply()

    with pytest.raises(ValueError, match="router=Alone: after its update, seen_E differs between"):
        on_two_devices(updated)


def test_sums_on_two_devices_and_on_one() -> None:
    def summed(rank: int) -> Any:
        parts = totals([torch.tensor([rank, 1]), torch.tensor([5])])
        states = [[0.1, float(rank)], [0.1, 7.0], [True, False], [True, rank == 0]]
        alike = [same_everywhere(torch.tensor(state)) for state in states]
        return [part.tolist() for part in parts], mean(torch.tensor(float(rank))).item(), alike

    assert on_two_devices(summed) == [([[1, 2], [10]], 0.5, [False, True, True, False])] * 2
    assert [part.tolist() for part in totals([torch.tensor([3])])] == [[3]]
