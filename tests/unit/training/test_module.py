"""The training module: what is minimised, and what is logged."""

from types import SimpleNamespace

import pytest
import torch

from moebench.models.output import Output
from moebench.moe.losses import LoadBalance, ZLoss
from moebench.moe.routers import Switch, TopK
from moebench.training.module import Training, Weighted, task_loss
from moebench.training.step_metrics import routing_metrics

from .fakes import D, E, OneLayer, V


class Recorder:
    """A logger that keeps what it gets."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, values: dict[str, float], step: int) -> None:
        self.lines.append((step, values))


def make(losses: list[Weighted], step: int = 0) -> tuple[Training, Recorder]:
    torch.manual_seed(0)
    module, recorder = Training(V, OneLayer, losses), Recorder()
    trainer = SimpleNamespace(global_step=step, log_every_n_steps=5, loggers=[recorder])
    module._trainer = trainer
    return module, recorder


def test_the_task_loss_is_cross_entropy_over_scored_targets() -> None:
    prediction = torch.tensor([[[2.0, 0.0], [0.0, 0.0], [5.0, 1.0]]])
    batch = SimpleNamespace(target_BL=torch.tensor([[0, 1, -100]]))
    expected = (torch.tensor(2.0).neg().exp().log1p() + torch.tensor(2.0).log()) / 2
    assert task_loss(Output(prediction, []), batch) == pytest.approx(expected.item())


def test_the_minimised_loss_adds_weighted_losses_once(batch: SimpleNamespace) -> None:
    module, _ = make([Weighted(LoadBalance(), 0.5), Weighted(ZLoss(), 0.25)], step=1)
    output = module.network(batch)
    [decision] = output.decisions
    expected = task_loss(output, batch) + 0.5 * LoadBalance()(decision) + 0.25 * ZLoss()(decision)
    assert module.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-6)


def test_losses_are_summed_over_layers() -> None:
    module, _ = make([Weighted(ZLoss(), 1.0)])
    router = Switch(D, E, jitter=0.0)
    decisions = [router(torch.randn(7, D)) for _ in range(3)]
    total = sum(ZLoss()(decision) for decision in decisions)
    assert module.losses.values(decisions)["ZLoss"].item() == pytest.approx(float(total))
    assert module.losses.values([]) == {}


def test_what_is_logged_is_raw_and_at_the_interval(batch: SimpleNamespace) -> None:
    module, recorder = make([Weighted(LoadBalance(), 0.5)])
    module.training_step(batch, 0)
    module.on_before_optimizer_step(None)
    [(step, values)] = recorder.lines
    assert step == 0
    output = module.network(batch)
    assert values["train/loss"] == pytest.approx(task_loss(output, batch).item())
    assert values["train/LoadBalance"] == pytest.approx(LoadBalance()(output.decisions[0]).item())
    assert sum(values[f"load/0/{expert}"] for expert in range(E)) == pytest.approx(1.0)
    module.trainer.global_step = 3
    module.training_step(batch, 3)
    module.on_before_optimizer_step(None)
    assert len(recorder.lines) == 1


def test_two_losses_of_one_class_both_count_under_their_names(batch: SimpleNamespace) -> None:
    weak, strong = Weighted(LoadBalance(), 0.5), Weighted(LoadBalance(), 2.0, name="strong")
    module, recorder = make([weak, strong])
    total = module.training_step(batch, 0)
    module.on_before_optimizer_step(None)
    [(_, values)] = recorder.lines
    output = module.network(batch)
    balance = LoadBalance()(output.decisions[0]).item()
    assert total.item() == pytest.approx(task_loss(output, batch).item() + 2.5 * balance)
    assert values["train/LoadBalance"] == values["train/strong"] == pytest.approx(balance)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((None, None), "2 of them are named ZLoss; give each its own name"),
        (("same", "same"), "2 of them are named same"),
        (("ZLoss", None), "2 of them are named ZLoss"),
        (("loss", None), "model.losses.name=loss: must .* not be loss, the name of the task loss"),
        (("a/b", None), "model.losses.name=a/b: must consist of letters"),
        (("", None), "model.losses.name=: must"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(
    names: tuple[str | None, str | None], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Training(V, OneLayer, [Weighted(ZLoss(), name=name) for name in names])


def test_a_step_of_several_batches_is_logged_once_as_their_mean(batch: SimpleNamespace) -> None:
    module, recorder = make([])
    unscored = SimpleNamespace(
        input_BL=batch.input_BL, target_BL=torch.full_like(batch.target_BL, -100), context_BL=None
    )
    turned = SimpleNamespace(
        input_BL=batch.input_BL.flip(1), target_BL=batch.target_BL, context_BL=None
    )
    for number, one in enumerate((batch, turned, unscored)):
        module.training_step(one, number)
    module.on_before_optimizer_step(None)
    module.on_before_optimizer_step(None)
    [(step, values)] = recorder.lines
    losses = [task_loss(module.network(one), one).item() for one in (batch, turned)]
    assert step == 0
    assert losses[0] != losses[1]
    assert values["train/loss"] == pytest.approx(sum(losses) / 2), "of the batches that have one"


def test_a_batch_with_nothing_scored_counts_nothing(batch: SimpleNamespace) -> None:
    module, _ = make([])
    batch.target_BL = torch.full_like(batch.target_BL, -100)
    loss = module.training_step(batch, 0)
    assert loss.item() == 0
    loss.backward()
    assert not module.network.embedding.weight.grad.any()


def test_routing_metrics_are_means_over_layers() -> None:
    router = TopK(D, E, 2)
    decisions = [router(torch.randn(9, D)), router(torch.randn(9, D))]
    values = routing_metrics(decisions)
    both = [routing_metrics([decision])["route/entropy"] for decision in decisions]
    assert values["route/entropy"] == pytest.approx(sum(both) / 2)
    assert routing_metrics([]) == {}
