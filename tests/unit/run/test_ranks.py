"""Processes that train together live and die together, and one of them says why."""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from moebench.data.synthetic import Synthetic, Uniform
from moebench.experiment import Experiment
from moebench.models import Decoder
from moebench.models.decoder import DecoderShape
from moebench.papers.defaults import TRAINER_DEFAULTS
from moebench.run import ranks, worker
from moebench.run.job import Job
from moebench.run.ranks import Ranks
from moebench.training.module import Training

OPTIONS = {"devices": 2, "max_steps": 4, "val_check_interval": 2, "accelerator": "cpu"}


def in_a_process(work: Callable[..., None], *arguments: Any) -> int | None:
    """Return the exit code of some work in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    process.join(60)
    process.kill()
    return process.exitcode


def ended(pid: int) -> bool:
    """Say whether a process ends within seconds."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_the_first_ends_with_another_that_ended_too_early() -> None:
    def first() -> None:
        with Ranks(2, lambda rank, told: os._exit(told + rank)) as group:
            group.tell(6)
            time.sleep(60)

    assert in_a_process(first) == 7


def test_the_others_end_with_the_first(tmp_path: Path) -> None:
    def follow(rank: int, told: Path) -> None:
        told.write_text(str(os.getpid()))
        time.sleep(60)

    def first() -> None:
        Ranks(2, follow).tell(tmp_path / "pid")
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        os._exit(1)

    in_a_process(first)
    time.sleep(0.1)
    assert ended(int((tmp_path / "pid").read_text()))


class Fails(pl.Callback):
    """Runs out of memory on the devices of some numbers."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_rank in self.numbers and trainer.global_step == 1:
            raise MemoryError(f"on {trainer.global_rank}")


@dataclass(frozen=True, kw_only=True)
class Failing(Experiment):
    """A tiny run on two devices, some of which fail."""

    numbers: tuple[int, ...]
    config: Mapping[str, Any] = field(default_factory=lambda: {"trainer": OPTIONS})

    @property
    def hash(self) -> str:
        return "failing"

    def build(self, **of_this_run: Any) -> tuple[Any, Any, pl.Trainer]:
        pl.seed_everything(0, verbose=False)
        model = Training(8, lambda count: Decoder(count, DecoderShape(8, 1, 2, 8)))
        data = Synthetic(Uniform(8), vocabulary=8, length=4, batch_size=4, valid_batches=1)
        options = {**TRAINER_DEFAULTS, **OPTIONS, **of_this_run}
        options["callbacks"] = [Fails(*self.numbers), *of_this_run.get("callbacks", ())]
        return model, data, pl.Trainer(**options)


@pytest.mark.parametrize("numbers", [(0,), (1,), (0, 1)])
def test_an_error_is_told_by_the_device_that_had_it(
    numbers: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by another, which only lost it; of two, by the first."""
    monkeypatch.setattr(ranks, "PATIENCE", 0.3)
    job = Job("target", "profile", "arm", 0, Failing(numbers=numbers), tmp_path / "seed_0")
    assert in_a_process(worker.main, job, 1) == (0 if 0 in numbers else 1)
    record = job.record()
    assert record.status == "out_of_memory"
    assert record.steps == 1
    assert record.hardware["devices"] == 2
    assert f"MemoryError: on {numbers[0]}" in (job.folder / "error.txt").read_text()
