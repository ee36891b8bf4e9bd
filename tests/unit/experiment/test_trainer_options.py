"""Options of the trainer: each is honoured or refused in one line, before anything is written."""

import csv
import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from moebench.cli.fit import fit
from moebench.cli.fit_options import FitOptions
from moebench.data.endless import ENDLESS
from moebench.experiment import ConfigurationError
from moebench.experiment.device_options import devices_of
from moebench.experiment.trainer_options import (
    LIMITED,
    SUPPORTED,
    check_options,
    check_pass,
    share_of,
)
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.worker import execute

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"
GOOD = {"max_steps": 8, "val_check_interval": 4}


def test_every_option_of_the_trainer_is_supported_or_limited() -> None:
    known = set(inspect.signature(pl.Trainer.__init__).parameters) - {"self"}
    assert set(SUPPORTED) | set(LIMITED) == known
    assert not set(SUPPORTED) & set(LIMITED)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": "ddp_spawn", "devices": 2}, r"trainer\.strategy=ddp_spawn: .* allowed: auto"),
        (
            {"strategy": "fsdp", "devices": 2},
            r"trainer\.strategy=fsdp: .*; allowed: auto or ddp or",
        ),
        ({"strategy": "ddp"}, r"trainer\.strategy=ddp: .* allowed with trainer\.devices=1: auto"),
        ({"devices": -1}, r"trainer\.devices=-1: .*; allowed: a whole number, or a list"),
        ({"devices": 0}, r"trainer\.devices=0"),
        ({"devices": "all"}, r"trainer\.devices=all"),
        ({"devices": []}, r"trainer\.devices=\[\]"),
        (
            {"devices": 2, "callbacks": [{"class_path": "moebench.run.examination.Examination"}]},
            r"trainer\.callbacks=Examination: looks at whole batches",
        ),
        ({"num_nodes": 2}, r"trainer\.num_nodes=2"),
        ({"sync_batchnorm": True}, r"trainer\.sync_batchnorm=True"),
        ({"logger": True}, r"trainer\.logger=True: .*name the logger"),
        ({"default_root_dir": "here"}, r"trainer\.default_root_dir=here: a run has a folder"),
        ({"enable_checkpointing": False}, r"trainer\.enable_checkpointing=False"),
        ({"fast_dev_run": 3}, r"trainer\.fast_dev_run=3"),
        ({"barebones": True}, r"trainer\.barebones=True"),
        ({"max_time": "00:00:01:00"}, r"trainer\.max_time=00:00:01:00: .* when it is repeated"),
        ({"limit_train_batches": 0}, r"trainer\.limit_train_batches=0: nothing would be trained"),
        ({"limit_val_batches": 0}, r"trainer\.limit_val_batches=0: nothing would be validated"),
        ({"limit_val_batches": 0.0}, r"trainer\.limit_val_batches=0\.0"),
        ({"overfit_batches": 2}, r"trainer\.overfit_batches=2"),
        ({"val_check_interval": 0.5}, r"trainer\.val_check_interval=0\.5: .* number of batches$"),
        ({"val_check_interval": "00:00:01:00"}, r"trainer\.val_check_interval=00"),
        ({"check_val_every_n_epoch": 2}, r"trainer\.check_val_every_n_epoch=2"),
        ({"num_sanity_val_steps": 2}, r"trainer\.num_sanity_val_steps=2"),
        ({"log_every_n_steps": 0}, r"trainer\.log_every_n_steps=0"),
        ({"accumulate_grad_batches": 0}, r"trainer\.accumulate_grad_batches=0"),
        ({"reload_dataloaders_every_n_epochs": 1}, r"trainer\.reload_dataloaders_every_n_epochs=1"),
        ({"limit_test_batches": 3}, r"trainer\.limit_test_batches=3: it would change nothing"),
        ({"inference_mode": False}, r"trainer\.inference_mode=False: it would change nothing"),
        ({"gradient_clip_val": -1.0}, r"trainer\.gradient_clip_val=-1\.0: it would clip nothing"),
        ({"gradient_clip_val": math.inf}, r"trainer\.gradient_clip_val=inf: it would clip nothing"),
        ({"limit_test_batches": 1}, r"trainer\.limit_test_batches=1: it would change nothing"),
        ({"min_steps": 9}, r"trainer\.min_steps=9: trainer\.max_steps=8 ends the run before"),
        (
            {"min_epochs": 3, "max_epochs": 2, "max_steps": -1},
            r"trainer\.min_epochs=3: trainer\.max_epochs=2 ends the run before",
        ),
        ({"gradient_clip_algorithm": "value"}, r"gradient_clip_algorithm=value: clips nothing"),
        ({"max_steps": 0}, r"trainer\.max_steps=0: must be at least 1"),
        ({"max_epochs": 2}, r"trainer\.max_epochs=2: trainer\.max_steps=8 also ends the run"),
        ({"max_epochs": 0}, r"trainer\.max_epochs=0: must be at least 1"),
        ({"val_check_interval": 9}, r"val_check_interval=9: the run has only 8 batches"),
        (
            {"accumulate_grad_batches": 3},
            r"val_check_interval=4: .*a multiple of trainer\.accumulate_grad_batches=3$",
        ),
        (
            {"accumulate_grad_batches": 2, "check_val_every_n_epoch": None},
            r"trainer\.check_val_every_n_epoch=null",
        ),
    ],
)
def test_what_no_run_supports_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_options({**GOOD, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"devices": [3]},
        {"devices": "1,"},
        {"devices": "auto"},
        {"devices": 2, "strategy": "ddp"},
        {"devices": [0, 1]},
        {"accumulate_grad_batches": 2},
        {"accumulate_grad_batches": 4, "max_steps": 1},
        {"check_val_every_n_epoch": None},
        {"max_steps": -1, "max_epochs": 3},
        {"max_steps": -1},
        {"gradient_clip_val": 1.0, "gradient_clip_algorithm": "value"},
        {"limit_val_batches": 0.5},
        {"logger": False},
    ],
)
def test_what_a_run_supports_passes(options: dict[str, Any]) -> None:
    check_options({**GOOD, **options})


def test_devices_are_counted_or_named() -> None:
    counts = {1: 1, "auto": 1, "2": 2, "1,": 1, "0,1": 2, 3: 3}
    assert {given: devices_of({"devices": given}) for given in counts} == counts
    assert devices_of({"devices": [1, 3]}) == 2
    assert devices_of({}) == 1


def test_a_batch_that_does_not_divide_among_the_devices_is_refused(tiny) -> None:
    settings = {"trainer.devices": 3}
    with pytest.raises(ValueError, match=r"trainer\.devices=3: a batch of 8 sequences does not"):
        checked(tiny("dense.yaml", settings))


def test_one_is_a_batch_and_one_point_zero_is_all_of_them() -> None:
    for limit, batches in ((1, 1), (1.0, 7), (0.5, 3), (9, 7), (None, 7)):
        assert share_of({"limit_val_batches": limit}, "limit_val_batches", 7) == batches


def test_a_pass_too_short_for_the_validations_is_refused() -> None:
    check_pass(GOOD, 4)
    check_pass({**GOOD, "check_val_every_n_epoch": None}, 3)
    with pytest.raises(ValueError, match=r"val_check_interval=4: .* only 3 batches"):
        check_pass(GOOD, 3)
    with pytest.raises(ValueError, match="only 3 batches"):
        check_pass({**GOOD, "limit_train_batches": 3}, 100)
    with pytest.raises(ValueError, match=r"limit_train_batches=0\.01: less than one of 99 batches"):
        check_pass({**GOOD, "limit_train_batches": 0.01, "check_val_every_n_epoch": None}, 99)
    with pytest.raises(ValueError, match=r"trainer\.max_epochs=2: the data have no end"):
        check_pass({**GOOD, "max_steps": -1, "max_epochs": 2}, ENDLESS)


def test_a_validation_of_less_than_a_batch_is_refused(tiny) -> None:
    checked(tiny("dense.yaml", {"trainer.limit_val_batches": 0.5}))
    with pytest.raises(ValueError, match=r"limit_val_batches=0\.4: less than one of 2 batches"):
        checked(tiny("dense.yaml", {"trainer.limit_val_batches": 0.4}))


def test_a_schedule_of_accumulation_is_refused(tiny) -> None:
    """Lightning begins it at the start of a pass: a run that goes on within one would not."""
    path = "pytorch_lightning.callbacks.GradientAccumulationScheduler"
    callback = {"class_path": path, "init_args": {"scheduling": {0: 2}}}
    with pytest.raises(ConfigurationError, match=r"allowed: trainer\.accumulate_grad_batches"):
        tiny("dense.yaml", {"trainer.callbacks": [callback]})


def test_a_configuration_that_asks_for_it_writes_nothing(tiny, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"trainer\.num_nodes=2: a run trains on the dev"):
        tiny("dense.yaml", {"trainer.num_nodes": 2})
    with pytest.raises(ConfigurationError, match=r"trainer: .*torch_xla"):
        tiny("dense.yaml", {"trainer.accelerator": "tpu"})
    with pytest.raises(ConfigurationError, match="devices"):
        fit(
            FitOptions(
                [f"--config={CONFIGS / 'dense.yaml'}", "--trainer.devices=-2"], root=tmp_path
            )
        )
    assert not list(tmp_path.iterdir())


def test_a_user_logger_gets_what_the_history_gets(tiny, tmp_path: Path) -> None:
    theirs = {
        "class_path": "pytorch_lightning.loggers.CSVLogger",
        "init_args": {"save_dir": str(tmp_path / "theirs"), "name": "", "version": ""},
    }
    job = Job("t", "p", "a", 0, tiny("dense.yaml", {"trainer.logger": theirs}), tmp_path / "run")
    record = execute(job, [])
    assert record.status == "finished"
    rows = list(csv.DictReader((tmp_path / "theirs" / "metrics.csv").open()))
    losses = [float(row["valid/loss"]) for row in rows if row["valid/loss"]]
    assert losses[-1] == pytest.approx(record.metrics["valid/loss"])
    assert sum(bool(row["train/loss"]) for row in rows) == record.steps


def test_a_cooldown_longer_than_the_run_is_refused(tiny) -> None:
    steps = tiny.settings()["trainer.max_steps"]
    checked(tiny("dense.yaml", {"model.cooldown_steps": steps}))
    with pytest.raises(ConfigurationError, match=f"model.cooldown_steps={steps + 1}: the run has"):
        tiny("dense.yaml", {"model.cooldown_steps": steps + 1})


def test_a_cooldown_without_an_end_is_refused(tiny) -> None:
    endless = {"trainer.max_steps": -1, "trainer.max_epochs": -1, "model.cooldown_steps": 1}
    with pytest.raises(ConfigurationError, match="cooldown_steps=1: the run has no known end"):
        tiny("dense.yaml", endless)
