"""The training module: what is minimised, what is logged, which losses have no effect."""

import logging
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import Tensor, nn
from torch.optim import SGD, AdamW
from torch.optim.optimizer import ParamsT
from torch.utils.data import DataLoader

from moebench.data.contract import TextBatch
from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision
from moebench.moe.losses import LoadBalance, ZLoss
from moebench.moe.routers import Hashed, Switch, TopK
from moebench.training.gradient_check import no_effect, report_losses, router_parameters
from moebench.training.module import Training, Weighted, task_loss
from moebench.training.schedule import inverse_square_root
from moebench.training.step_metrics import routing_metrics

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


@pytest.fixture
def batch() -> SimpleNamespace:
    ids_BL = torch.arange(12).view(2, 6) % V
    return SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(1, 0), context_BL=None)


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


class Some(pl.LightningDataModule):
    """Batches of eight ids, of which every batch of a list scores as many targets as it says."""

    vocabulary = V

    def __init__(self, scored: list[int]) -> None:
        super().__init__()
        self.scored = scored

    def train_dataloader(self) -> Any:
        return self.batches([8] * 6)

    def val_dataloader(self) -> Any:
        return self.batches(self.scored)

    def batches(self, scored: list[int]) -> Any:
        ids_BL = torch.arange(8).view(2, 4)
        made = []
        for number, count in enumerate(scored):
            target_BL = (ids_BL + number) % V
            target_BL.view(-1)[count:] = -100
            made.append(TextBatch(ids_BL, target_BL, None, torch.zeros(2, dtype=torch.long)))
        return DataLoader(made, batch_size=None, collate_fn=lambda batch: batch)


def fit(module: Training, data: Some, **settings: Any) -> pl.Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    trainer = pl.Trainer(
        accelerator="cpu", enable_checkpointing=False, num_sanity_val_steps=0, **quiet, **settings
    )
    trainer.fit(module, data)
    return trainer


def test_a_validation_is_the_mean_over_all_scored_targets() -> None:
    torch.manual_seed(0)
    module, data = Training(V, OneLayer), Some([3, 0, 8])
    trainer = fit(module, data, max_steps=6)
    module.eval()
    losses = [task_loss(module.network(batch), batch).item() for batch in data.val_dataloader()]
    expected = (3 * losses[0] + 8 * losses[2]) / 11
    assert trainer.callback_metrics["valid/loss"].item() == pytest.approx(expected)


class Drawing(OneLayer):
    """Notes a number that it draws at every call."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.trained: list[float] = []
        self.validated: list[float] = []

    def forward(self, batch: SimpleNamespace) -> Output:
        drawn = self.trained if self.training else self.validated
        drawn.append(torch.rand(()).item())
        return super().forward(batch)


def test_every_validation_draws_the_same_and_leaves_training_alone() -> None:
    networks = []
    for scored in ([8], [8, 8]):
        torch.manual_seed(0)
        module = Training(V, Drawing)
        fit(module, Some(scored), max_steps=6, val_check_interval=3)
        networks.append(module.network)
    one, two = networks
    first, second = two.validated[:2], two.validated[2:]
    assert first == second
    assert first[0] != first[1], "each batch has draws of its own"
    assert one.trained == two.trained


def test_a_validation_with_nothing_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="no target of the validation batches is scored"):
        fit(Training(V, OneLayer), Some([0, 0]), max_steps=6)


def test_each_validation_counts_its_own_targets() -> None:
    module = Training(V, OneLayer)
    module.scored = 8  # of the one before
    module.on_validation_epoch_start()
    with pytest.raises(ValueError, match="no target of the validation batches is scored"):
        module.on_validation_epoch_end()


class Norms(pl.Callback):
    """Notes the norm of the gradient that each step was made with."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: object) -> None:
        gradients = [p.grad.flatten() for p in pl_module.parameters() if p.grad is not None]
        self.seen.append(torch.cat(gradients).norm().item())


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed", "32-true"])
@pytest.mark.parametrize("algorithm", ["norm", "value", None])
def test_gradients_are_clipped_under_a_fused_optimiser(
    precision: str, algorithm: str | None
) -> None:
    """As under one that is not fused, which Lightning clips itself."""
    weights, norms = [], []
    for fused in (True, False):
        torch.manual_seed(0)
        module = Training(V, OneLayer, [], partial(AdamW, lr=0.1, fused=fused), warmup_steps=1)
        plugin = {"precision": precision}
        if precision == "16-mixed":  # for which Lightning asks an accelerator, as torch does not
            scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)
            plugin = {"plugins": [MixedPrecision("16-mixed", "cpu", scaler)]}
        clip = {"gradient_clip_val": 1e-3, "gradient_clip_algorithm": algorithm}
        seen = Norms()
        fit(module, Some([8]), max_steps=6, callbacks=[seen], **plugin, **clip)
        weights.append(module.network.embedding.weight.detach())
        norms.append(seen.seen)
    most = 1e-3 if algorithm != "value" else 1e-3 * (V * D + E * D) ** 0.5
    assert 0 < max(norms[0]) <= most * 1.001
    assert norms[0] == pytest.approx(norms[1], rel=1e-2)
    assert torch.allclose(*weights, atol=1e-3)


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
        report_losses({"TheLoss": value}, network)
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
    assert no_effect(value, router_parameters(network)).endswith("is zero")


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
