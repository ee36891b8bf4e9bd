"""The training module: what is descended, what is logged, what is said of losses without effect."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.optimizer import ParamsT

from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision
from moebench.moe.losses import LoadBalance, ZLoss
from moebench.moe.routers import Hashed, Switch, TopK
from moebench.reach import report_reach, router_parameters, unreached
from moebench.training import (
    Training,
    Weighted,
    inverse_square_root,
    routing_metrics,
    task_loss,
)

V, D, E = 11, 8, 4


class OneLayer(nn.Module):
    """An embedding, a router whose weight scales it, and a readout."""

    def __init__(self, vocabulary: int, router: nn.Module | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, D)
        self.router = router or Switch(D, E, jitter=0.0)

    def forward(self, batch: SimpleNamespace) -> Output:
        x_BLD = self.embedding(batch.input_BL)
        decision: RoutingDecision = self.router(x_BLD.flatten(0, 1))
        y_BLD = x_BLD * decision.weight_A.view(*x_BLD.shape[:2], 1)
        return Output(y_BLD @ self.embedding.weight.T, [decision])


class Recorder:
    """A logger that remembers."""

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


@pytest.fixture
def batch() -> SimpleNamespace:
    ids_BL = torch.arange(12).view(2, 6) % V
    return SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(1, 0), context_BL=None)


def test_the_task_loss_is_cross_entropy_over_scored_targets() -> None:
    prediction = torch.tensor([[[2.0, 0.0], [0.0, 0.0], [5.0, 1.0]]])
    batch = SimpleNamespace(target_BL=torch.tensor([[0, 1, -100]]))
    expected = (torch.tensor(2.0).neg().exp().log1p() + torch.tensor(2.0).log()) / 2
    assert task_loss(Output(prediction, []), batch) == pytest.approx(expected.item())


def test_the_loss_descended_adds_weighted_losses_once(batch: SimpleNamespace) -> None:
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
    assert module.routing_losses(decisions)["ZLoss"].item() == pytest.approx(float(total))
    assert module.routing_losses([]) == {}


def test_what_is_logged_is_raw_and_at_the_interval(batch: SimpleNamespace) -> None:
    module, recorder = make([Weighted(LoadBalance(), 0.5)])
    module.training_step(batch, 0)
    [(step, values)] = recorder.lines
    assert step == 0
    output = module.network(batch)
    assert values["train/loss"] == pytest.approx(task_loss(output, batch).item())
    assert values["train/LoadBalance"] == pytest.approx(LoadBalance()(output.decisions[0]).item())
    assert sum(values[f"load/0/{expert}"] for expert in range(E)) == pytest.approx(1.0)
    module.trainer.global_step = 3
    module.training_step(batch, 3)
    assert len(recorder.lines) == 1


def test_routing_metrics_are_means_over_layers() -> None:
    router = TopK(D, E, 2)
    decisions = [router(torch.randn(9, D)), router(torch.randn(9, D))]
    values = routing_metrics(decisions)
    both = [routing_metrics([decision])["route/entropy"] for decision in decisions]
    assert values["route/entropy"] == pytest.approx(sum(both) / 2)
    assert routing_metrics([]) == {}


def test_the_learning_rate_rises_and_falls_with_the_root() -> None:
    assert inverse_square_root(0, 100) == 0.01
    assert inverse_square_root(99, 100) == 1.0
    assert inverse_square_root(399, 100) == 0.5
    rates = [inverse_square_root(step, 10) for step in range(200)]
    assert max(rates) == rates[9] == 1.0


def test_a_warm_up_of_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="warmup_steps=0: must be at least 1"):
        Training(V, OneLayer, warmup_steps=0)


class ForgetsGradient(nn.Module):
    """A loss that was cut off from the graph, as a common mistake has it."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        return decision.probs_TE.detach().sum()


class CountsRows(nn.Module):
    """A loss on the probabilities whose gradient by the scores is zero."""

    def forward(self, decision: RoutingDecision) -> Tensor:
        return decision.probs_TE.sum()


@pytest.mark.parametrize(
    ("loss", "router", "words"),
    [
        (LoadBalance(), Switch(D, E, jitter=0.0), ""),
        (ZLoss(), TopK(D, E, 2), ""),
        (ForgetsGradient(), Switch(D, E), "does not depend"),
        (LoadBalance(), Hashed(D, E), "no trainable parameter"),
    ],
)
def test_a_loss_without_effect_is_named_with_the_reason(
    loss: nn.Module, router: nn.Module, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    network = OneLayer(V, router)
    value = loss(router(torch.randn(9, D)))
    with caplog.at_level(logging.WARNING):
        report_reach({"TheLoss": value}, network)
    if words:
        assert f"loss TheLoss has no effect on routing: {caplog.text}".count("TheLoss") >= 2
        assert words in caplog.text
    else:
        assert caplog.text == ""


def test_a_gradient_of_zero_is_seen() -> None:
    router = Switch(D, E, jitter=0.0)
    network = OneLayer(V, router)
    x_TD = torch.zeros(5, D)
    value = CountsRows()(router(x_TD))
    assert unreached(value, router_parameters(network)).endswith("is zero")


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


def test_routers_without_a_rate_stay_as_they_began(batch: SimpleNamespace) -> None:
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
