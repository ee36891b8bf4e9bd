"""What was written is read back before it counts, and must give the same logits."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from moebench.interop import free_memory, from_pretrained, read_back, save_pretrained
from moebench.models import RotaryDecoder

from .fakes import DEEPSEEK_V3, model


@pytest.fixture
def read_as(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What is read back is changed by a function first."""

    def change_with(change: Callable[[RotaryDecoder], object]) -> None:
        def other(*given: object, **more: object) -> RotaryDecoder:
            made = from_pretrained(*given, **more)
            change(made)
            return made

        monkeypatch.setattr(read_back, "from_pretrained", other)

    return change_with


def test_a_checkpoint_that_reads_differently_is_refused(
    tmp_path: Path, read_as: Callable[..., None]
) -> None:
    read_as(lambda made: setattr(made, "positions", replace(made.positions, base=7.0)))
    with pytest.raises(ValueError, match="read back, a few tokens get other logits"):
        save_pretrained(model(), tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_a_weight_that_reads_differently_is_named(
    tmp_path: Path, read_as: Callable[..., None]
) -> None:
    read_as(lambda made: made.norm.weight.data[3:4].add_(1e-6))
    with pytest.raises(ValueError, match=r"read back, norm\.weight differs"):
        save_pretrained(model(), tmp_path)


@pytest.mark.parametrize(
    ("epsilon", "dtype"),
    [
        (float("nan"), torch.float32),
        (0.01, torch.float32),  # logits off by half a per cent
        (0.5, torch.bfloat16),  # by a fifth
    ],
)
def test_logits_that_differ_slightly(
    epsilon: float, dtype: torch.dtype, tmp_path: Path, read_as: Callable[..., None]
) -> None:
    read_as(lambda made: setattr(made.norm, "eps", epsilon))
    with pytest.raises(ValueError, match="read back, a few tokens get other logits"):
        save_pretrained(model().to(dtype), tmp_path)


def test_a_model_that_memory_cannot_hold_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(read_back, "free_bytes", lambda device: 100)
    with caplog.at_level(logging.WARNING):
        save_pretrained(model(), tmp_path)
    assert "not read back for a check" in caplog.text
    assert free_memory.free_bytes(torch.device("cpu")) != 100
    assert (tmp_path / "config.json").is_file()


def test_writing_leaves_the_mode_as_it_was(tmp_path: Path) -> None:
    made = model().train()
    made.norm.eval()
    save_pretrained(made, tmp_path)
    assert made.training
    assert made.blocks[0].training
    assert not made.norm.training


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_are_read_back(tmp_path: Path, dtype: torch.dtype) -> None:
    made = model(**DEEPSEEK_V3).to(dtype)
    save_pretrained(made, tmp_path)
    assert from_pretrained(tmp_path).embedding.weight.dtype == dtype
