"""Learning rates: how they rise and fall, and those of routers."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.optim import SGD
from torch.optim.optimizer import ParamsT

from moebench.moe.routers import Hashed
from moebench.training.module import Training, task_loss
from moebench.training.schedule import cooldown, inverse_square_root, steps_of

from .fakes import D, E, OneLayer, V


def test_the_learning_rate_rises_and_falls_with_the_root() -> None:
    assert inverse_square_root(0, 100) == 0.01
    assert inverse_square_root(99, 100) == 1.0
    assert inverse_square_root(399, 100) == 0.5
    rates = [inverse_square_root(step, 10) for step in range(200)]
    assert max(rates) == rates[9] == 1.0


def test_a_cooldown_falls_evenly_to_nothing_after_the_last_step() -> None:
    factors = [cooldown(step, cooldown_steps=4, steps=10) for step in range(10)]
    assert factors == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert cooldown(10**9, cooldown_steps=4, steps=math.inf) == 1
    assert cooldown(9, cooldown_steps=0, steps=10) == 1


@pytest.mark.parametrize("steps", [-1, 0, math.inf])
def test_a_cooldown_needs_an_end(steps: float) -> None:
    with pytest.raises(ValueError, match="cooldown_steps: training has no known end"):
        steps_of(SimpleNamespace(estimated_stepping_batches=steps))
    assert steps_of(SimpleNamespace(estimated_stepping_batches=7)) == 7


def test_a_cooldown_of_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="cooldown_steps=-1: must be 0 or"):
        Training(V, OneLayer, cooldown_steps=-1)


def test_a_warm_up_of_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="warmup_steps=0: must be at least 1"):
        Training(V, OneLayer, warmup_steps=0)


def test_what_makes_no_optimiser_is_refused() -> None:
    with pytest.raises(ValueError, match="optimizer=None: must make an optimiser"):
        Training(V, OneLayer, optimizer=None)


@pytest.mark.parametrize("rate", [math.nan, math.inf])
def test_a_rate_that_is_not_finite_is_refused(rate: float) -> None:
    """torch's optimisers refuse negative ones alone."""
    module = Training(V, OneLayer, optimizer=lambda parameters: SGD(parameters, lr=rate))
    with pytest.raises(ValueError, match=f"optimizer.lr={rate}: must be finite"):
        module.configure_optimizers()


def test_a_bound_that_is_infinite_is_no_bound() -> None:
    """As optimisers that find their own rate have it by default."""

    def bounded(parameters: ParamsT) -> SGD:
        found = SGD(parameters, lr=1.0)
        found.defaults["growth_rate"] = math.inf
        return found

    Training(V, OneLayer, optimizer=bounded).configure_optimizers()


def at_rate_1(parameters: ParamsT) -> SGD:
    return SGD(parameters, lr=1.0)


def moved(router_rate: float, batch: SimpleNamespace, steps: int) -> dict[str, Tensor]:
    """Return how far plain descent at rate 1 has moved every parameter."""
    torch.manual_seed(0)
    module = Training(V, OneLayer, [], at_rate_1, warmup_steps=4, router_rate=router_rate)
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    [optimizer], [schedule] = module.configure_optimizers()
    for _ in range(steps):
        optimizer.zero_grad()
        task_loss(module.network(batch), batch).backward()
        optimizer.step()
        schedule["scheduler"].step()
    return {name: value.detach() - before[name] for name, value in module.named_parameters()}


def test_routers_learn_at_a_rate_of_their_own(batch: SimpleNamespace) -> None:
    alike, slow = moved(1.0, batch, steps=1), moved(0.25, batch, steps=1)
    assert set(alike) == {"network.embedding.weight", "network.router.score.weight"}
    assert all(change.any() for change in alike.values())
    for name, change in slow.items():
        factor = 0.25 if "router" in name else 1.0
        assert torch.allclose(change, factor * alike[name], atol=1e-6)


def test_the_rate_of_routers_follows_the_schedule() -> None:
    module = Training(V, OneLayer, [], at_rate_1, warmup_steps=4, router_rate=0.25)
    [optimizer], [schedule] = module.configure_optimizers()
    seen = []
    for _ in range(6):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule["scheduler"].step()
    rest = [inverse_square_root(step, 4) for step in range(6)]
    assert seen == [pytest.approx([rate, 0.25 * rate]) for rate in rest]


def test_routers_at_a_rate_of_zero_are_frozen(batch: SimpleNamespace) -> None:
    changes = moved(0.0, batch, steps=3)
    assert not changes["network.router.score.weight"].any()
    assert changes["network.embedding.weight"].any()


@pytest.mark.parametrize("rate", [-0.1, float("inf"), float("nan")])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="router_rate"):
        Training(V, OneLayer, router_rate=rate)


def test_a_rate_for_routers_that_have_no_weights_changes_nothing() -> None:
    module = Training(V, lambda v: OneLayer(v, Hashed(D, E)), router_rate=0.1)
    [optimizer], _ = module.configure_optimizers()
    assert [len(group["params"]) for group in optimizer.param_groups] == [1]
