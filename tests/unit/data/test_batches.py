"""Batches: every window once an epoch, in an order of the seed alone, also after a kill."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import ModelCheckpoint

from moebench.data import corpus
from moebench.data.batches import TrainBatches, ValidBatches
from moebench.data.contract import TextBatch
from moebench.data.corpus import Windows
from moebench.data.objectives import NextToken, Objective, SpanCorruption

from .fakes import prepared, same

pytestmark = pytest.mark.usefixtures("cache")


def test_every_window_lies_in_one_domain_and_none_overlap() -> None:
    tokens = np.arange(23, dtype=np.uint16)
    windows = Windows(tokens, [11, 3, 9], width=4)
    raw_BW, domain_B = windows.read(np.arange(len(windows)))
    assert raw_BW.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [14, 15, 16, 17], [18, 19, 20, 21]]
    assert domain_B.tolist() == [0, 0, 2, 2]


def test_an_epoch_sees_every_window_once_and_the_next_in_another_order() -> None:
    text = prepared(batch_size=1)
    loader = text.train_dataloader()
    first, second = ([tuple(b.input_BL[0].tolist()) for b in loader] for _ in range(2))
    assert sorted(first) == sorted(second)
    assert first != second
    whole = corpus.windows(text._folder, "train", 17)
    assert len(first) == len(whole) == len(loader)
    raw_BW, _ = whole.read(np.arange(len(whole)))
    assert sorted(first) == sorted(map(tuple, raw_BW[:, :-1].tolist()))


@pytest.mark.parametrize("objective", [NextToken(), SpanCorruption(mean_span=1)])
def test_order_depends_on_the_seed_only(objective: Objective) -> None:
    one, two = prepared(objective, seed=1), prepared(objective, seed=1)
    other = prepared(objective, seed=2)
    loader = one.train_dataloader()
    torch.manual_seed(7)
    passed = [*loader, *loader]
    number = len(loader) + 1
    assert same(passed[number], two.train_dataloader().batch(number))
    assert not same(passed[number], other.train_dataloader().batch(number))
    pairs = zip(one.val_dataloader(), other.val_dataloader(), strict=True)
    assert all(same(left, right) for left, right in pairs)


def test_validation_is_spread_evenly() -> None:
    """Of ten windows, six are wanted: numbers 0, 1, 3, 5, 6, 8, dealt out to three batches."""
    windows = Windows(np.arange(10, dtype=np.uint16).repeat(2), [12, 8], width=2)
    batches = list(ValidBatches(windows, NextToken(), batch_size=2, count=3))
    assert [b.input_BL[:, 0].tolist() for b in batches] == [[0, 5], [1, 6], [3, 8]]
    assert [b.domain_B.tolist() for b in batches] == [[0, 0], [0, 1], [0, 1]]


class Draws:
    """An objective whose ids are the first numbers that it draws."""

    def width(self, length: int) -> int:
        return length

    def __call__(
        self, raw_BW: NDArray[np.int64], domain_B: NDArray[np.int64], rng: np.random.Generator
    ) -> TextBatch:
        ids_BL = torch.from_numpy(rng.integers(2**62, size=raw_BW.shape))
        return TextBatch(ids_BL, ids_BL, None, torch.from_numpy(domain_B))


def test_no_two_batches_have_the_same_noise() -> None:
    """Not in one epoch, nor in two, nor with two seeds, nor in training and validation."""
    windows = Windows(np.arange(40, dtype=np.uint16), [40], width=2)
    loaders = [TrainBatches(windows, Draws(), 4, seed) for seed in (0, 1)]
    batches = [batch for loader in loaders * 2 for batch in loader]
    batches += ValidBatches(windows, Draws(), 4, 3)
    drawn = {tuple(batch.input_BL.flatten().tolist()) for batch in batches}
    assert len(drawn) == len(batches) == 2 * 2 * 5 + 3


class Watching(pl.LightningModule):
    """Trains one number and notes what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[TextBatch] = []

    def training_step(self, batch: TextBatch) -> torch.Tensor:
        assert isinstance(batch, TextBatch)
        self.seen.append(batch)
        return self.weight * batch.input_BL.float().mean()

    def validation_step(self, batch: TextBatch) -> None:
        assert isinstance(batch, TextBatch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, steps: int, resume: Path | None = None, **settings: Any) -> list[TextBatch]:
    model = Watching()
    save = ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_steps=steps,
            max_epochs=-1,
            accelerator="cpu",
            logger=False,
            callbacks=[save],
            enable_progress_bar=False,
            enable_model_summary=False,
            **settings,
        )
        data = prepared(SpanCorruption(), batch_size=8, length=24, seed=3, valid_batches=1)
        trainer.fit(model, data, ckpt_path=resume, weights_only=True)
    return model.seen


@pytest.mark.parametrize("settings", [{}, {"limit_train_batches": 4}, {"val_check_interval": 2}])
def test_a_resumed_run_sees_what_an_uninterrupted_one_does(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    text = prepared(SpanCorruption(), batch_size=8, length=24, seed=3, valid_batches=1)
    loader = text.train_dataloader()
    epoch = len(loader)
    assert epoch > 7
    steps = 2 * epoch + 3
    whole = fit(tmp_path / "whole", steps, **settings)
    assert len(whole) == steps
    assert all(same(batch, loader.batch(number)) for number, batch in enumerate(whole))
    for stop in (7, epoch, epoch + 2):
        folder = tmp_path / f"stopped at {stop}"
        begun = fit(folder, stop, **settings)
        rest = fit(folder, steps, folder / f"step={stop}.ckpt", **settings)
        assert len(begun + rest) == steps
        assert all(same(*pair) for pair in zip(begun + rest, whole, strict=True))
