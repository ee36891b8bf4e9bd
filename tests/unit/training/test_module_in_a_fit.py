"""The training module inside a fit of Lightning's: validation, and clipped gradients."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch.optim import AdamW
from torch.utils.data import DataLoader

from moebench.data.contract import TextBatch
from moebench.models.output import Output
from moebench.training.module import Training, task_loss

from .fakes import D, E, OneLayer, V


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


class Rates(pl.Callback):
    """Notes the learning rate of every optimiser step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        self.seen.append(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("end", [{"max_steps": 6}, {"max_epochs": 1}, {"max_epochs": 2}])
def test_a_cooldown_ends_with_the_training(end: dict[str, int]) -> None:
    rates: dict[int, list[float]] = {}
    for cooldown_steps in (0, 2):
        noted = Rates()
        fit(
            Training(V, OneLayer, cooldown_steps=cooldown_steps),
            Some([8]),
            callbacks=[noted],
            **end,
        )
        rates[cooldown_steps] = noted.seen
    *before, last = rates[0]
    assert len(rates[0]) == 6 * end.get("max_epochs", 1)
    assert rates[2] == pytest.approx([*before, last / 2])


def test_a_cooldown_counts_optimiser_steps_where_gradients_accumulate() -> None:
    plain, cooled = Rates(), Rates()
    for noted, cooldown_steps in ((plain, 0), (cooled, 2)):
        module = Training(V, OneLayer, cooldown_steps=cooldown_steps)
        more = {"max_epochs": 1, "accumulate_grad_batches": 2}
        fit(module, Some([8]), callbacks=[noted], **more)
    *before, last = plain.seen
    assert len(plain.seen) == 3
    assert cooled.seen == pytest.approx([*before, last / 2])
