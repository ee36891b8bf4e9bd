"""What is taken from a trained model, on one whose experts answer with known numbers."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from moebench.moe import MoELayer
from moebench.moe.dispatch import Grouped
from moebench.moe.routers import SoftmaxTopK
from reproductions.deepseekmoe_2024.surgery import (
    Surgery,
    choosing,
    masking,
    mixtures,
    without_one,
    without_shared,
)

X_TD = torch.tensor([[1.0, 4.0, 3.0, 2.0]]).log()  # probabilities 0.1, 0.4, 0.3, 0.2


class Numbered(nn.Module):
    """Expert number n answers 10 ** n."""

    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        number_R = torch.arange(len(count_E)).repeat_interleave(count_E)
        return (10.0**number_R)[:, None].expand_as(x_RD)


class Hundred(nn.Module):
    def forward(self, x_TD: Tensor) -> Tensor:
        return torch.full_like(x_TD, -100.0)


def layer(k: int, shared: nn.Module | None = None) -> MoELayer:
    router = SoftmaxTopK(4, 4, k)
    nn.init.eye_(router.score.weight)
    return MoELayer(router, Numbered(), Grouped(), shared)


def answer(made: MoELayer) -> float:
    return made(X_TD)[0][0, 0].item()


def test_fewer_experts() -> None:
    """0.4 * 10 + 0.3 * 100 with two, 0.4 * 10 with one."""
    made = layer(2)
    assert answer(made) == pytest.approx(34.0)
    with choosing([made], 1):
        assert answer(made) == pytest.approx(4.0)
    assert answer(made) == pytest.approx(34.0)


def test_without_the_best() -> None:
    """Without expert 1 the rest are 1/6, 3/6 and 2/6: 50 + 1000/3; without 1 and 2 1/3 and 2/3."""
    made = layer(2)
    with masking([made], 1):
        assert answer(made) == pytest.approx(50 + 1000 / 3)
    with masking([made], 2):
        assert answer(made) == pytest.approx(1 / 3 + 2000 / 3)
    assert answer(made) == pytest.approx(34.0)


def test_without_the_shared_expert_one_more_is_routed_to() -> None:
    made = layer(1, Hundred())
    assert answer(made) == pytest.approx(4.0 - 100)
    with without_shared([made]):
        assert answer(made) == pytest.approx(34.0)
    assert answer(made) == pytest.approx(4.0 - 100)
    assert made.router.k == 1


def test_without_one_expert_the_next_takes_its_place() -> None:
    made = layer(1)
    seen = set()
    for seed in range(20):
        with without_one([made], seed, place=0):
            first = answer(made)
        with without_one([made], seed, place=1):
            assert (first > 10) + (answer(made) > 10) < 2, "two places, two experts"
        seen.add(round(first, 3))
    # Without expert 0 expert 1 has 4/9, without 2 4/7, without 3 4/8; without 1 expert 2 has 3/6.
    assert seen == {4.444, 5.714, 5.0, 50.0}


class Model(nn.Module):
    """A mixture before a linear output."""

    def __init__(self, shared: nn.Module | None) -> None:
        super().__init__()
        self.moe, self.out = layer(2, shared), nn.Linear(4, 8)

    def forward(self, batch: SimpleNamespace) -> SimpleNamespace:
        y_TD, decision = self.moe(batch.input_BL)
        return SimpleNamespace(prediction=self.out(y_TD / 100), decisions=[decision])


@pytest.mark.parametrize("shared", [None, Hundred()])
def test_it_measures_at_the_last_validation_and_leaves_the_model_as_it_was(
    shared: nn.Module | None,
) -> None:
    torch.manual_seed(0)
    model, logged = Model(shared), {}
    batch = SimpleNamespace(input_BL=torch.randn(50, 4), target_BL=torch.arange(50) % 8)
    logger = SimpleNamespace(log_metrics=lambda values, step: logged.update(values))
    plugin = SimpleNamespace(forward_context=torch.enable_grad)
    trainer = SimpleNamespace(global_step=3, max_steps=4, val_dataloaders=[batch], loggers=[logger])
    trainer.precision_plugin = plugin
    module = SimpleNamespace(
        network=model, device="cpu", transfer_batch_to_device=lambda one, *_: one
    )
    surgery = Surgery(fewer=1)
    surgery.on_validation_end(trainer, module)
    assert not logged
    trainer.global_step = 4
    before = model(batch).prediction
    surgery.on_validation_end(trainer, module)
    assert torch.equal(model(batch).prediction, before)
    assert model.training
    found = {name.removeprefix("analysis/surgery/"): value for name, value in logged.items()}
    whole = nn.functional.cross_entropy(before, batch.target_BL).item()
    assert found["whole"] == pytest.approx(whole)
    with choosing(mixtures(model), 1):
        fewer = nn.functional.cross_entropy(model(batch).prediction, batch.target_BL).item()
    assert found["fewer"] == pytest.approx(fewer)
    taken = without_shared([model.moe]) if shared else without_one([model.moe], 0, 1)
    with taken:
        less = nn.functional.cross_entropy(model(batch).prediction, batch.target_BL).item()
    assert found["taken"] == pytest.approx(less - whole)
    assert set(found) == {"whole", "fewer", "masked", "masked_parameters", "taken", "taken_routed"}
