"""Which options of Lightning's Trainer a run supports; the others are refused with the reason.

A run trains on the devices of one machine, ends after a number of steps, is validated and saved
between two of them, and keeps its own folder, history and checkpoint. Options that would break
this, or have no effect, are refused before anything is written.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moebench.data.endless import ENDLESS
from moebench.experiment.device_options import check_sharing, devices_asked

ONE_MACHINE = "a run trains on the devices of one machine"
NO_EFFECT = "it would change nothing in a run"

SUPPORTED = (  # with any value that Lightning accepts
    *("accelerator", "precision", "plugins", "deterministic", "benchmark"),
    *("max_epochs", "max_steps", "min_epochs", "min_steps"),
    *("callbacks", "enable_progress_bar", "enable_model_summary", "enable_autolog_hparams"),
    *("gradient_clip_algorithm", "profiler", "detect_anomaly"),
)


@dataclass(frozen=True)
class Limit:
    """The values of an option that a run supports."""

    holds: Callable[[Any], bool]
    allowed: str  # in words
    reason: str


def only(*values: Any, reason: str) -> Limit:
    """Return a limit to some values; 1 and True are different values, as in YAML."""
    words = " or ".join("null" if value is None else str(value).lower() for value in values)
    return Limit(
        lambda value: any(type(value) is type(v) and value == v for v in values), words, reason
    )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


COUNT = Limit(_whole, "a whole number of at least 1", "it counts steps or batches")
LIMITED = {
    "strategy": only(
        *("auto", "ddp", "ddp_find_unused_parameters_true"),
        reason="every device has the whole model, so that its cost can be counted",
    ),
    "devices": Limit(
        lambda value: devices_asked(value) is not None,
        "a whole number, or a list of numbers of devices",
        "the number of devices is part of the experiment",
    ),
    "num_nodes": only(1, reason=ONE_MACHINE),
    "sync_batchnorm": only(False, reason=NO_EFFECT),
    "use_distributed_sampler": only(True, reason="every batch is shared out among the devices"),
    "logger": Limit(
        lambda value: value is not True,
        "false, or a class_path",
        "the history is always written; name the logger to have in addition",
    ),
    "default_root_dir": only(None, reason="a run has a folder of its own"),
    "enable_checkpointing": only(None, True, reason="a run is saved so that it can resume"),
    "fast_dev_run": only(False, 0, reason="for a short run set trainer.max_steps"),
    "barebones": only(False, reason="a run has a history and a checkpoint"),
    "max_time": only(None, reason="a run must end after the same steps when it is repeated"),
    "limit_train_batches": Limit(
        lambda value: value is None or value > 0, "a number above 0", "nothing would be trained"
    ),
    "limit_val_batches": Limit(
        lambda value: value is None or value > 0,
        "a number above 0",
        "nothing would be validated, and so neither saved nor compared",
    ),
    "gradient_clip_val": Limit(
        lambda value: value is None or 0 <= value < math.inf,
        "null, or a number above 0",
        "it would clip nothing",
    ),
    "overfit_batches": only(0, 0.0, reason="training batches are not repeated; use less data"),
    "val_check_interval": Limit(
        _whole,
        "a whole number of batches",
        "a time is not reproducible, and a fraction of endless data is undefined",
    ),
    "check_val_every_n_epoch": only(1, None, reason="trainer.val_check_interval says when"),
    "num_sanity_val_steps": only(0, reason="it would appear in the history as a validation"),
    "log_every_n_steps": COUNT,
    "accumulate_grad_batches": COUNT,
    "reload_dataloaders_every_n_epochs": only(0, reason="each pass would have the same batches"),
    "limit_test_batches": only(None, 1.0, reason=NO_EFFECT),
    "limit_predict_batches": only(None, 1.0, reason=NO_EFFECT),
    "inference_mode": only(True, reason=NO_EFFECT),
    "model_registry": only(None, reason=NO_EFFECT),
}


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that a run does not support.

    Args:
        options: options of the Trainer by name; missing ones have their defaults.

    Raises:
        ValueError: for the first such option.
    """
    for name, limit in LIMITED.items():
        if name in options and not limit.holds(options[name]):
            value = "null" if options[name] is None else options[name]
            raise ValueError(f"trainer.{name}={value}: {limit.reason}; allowed: {limit.allowed}")
    if options.get("gradient_clip_algorithm") and not options.get("gradient_clip_val"):
        algorithm = options["gradient_clip_algorithm"]
        raise ValueError(
            f"trainer.gradient_clip_algorithm={algorithm}: clips nothing without "
            "trainer.gradient_clip_val"
        )
    _check_end(options)
    _check_validation(options)
    check_sharing(options)


def _check_end(options: Mapping[str, Any]) -> None:
    """Refuse a run without steps, or with two ends; with none, the model must end the run."""
    steps, epochs = options.get("max_steps", -1), options.get("max_epochs")
    if not isinstance(steps, int) or (steps != -1 and steps < 1):
        steps = "null" if steps is None else steps
        raise ValueError(f"trainer.max_steps={steps}: must be at least 1")
    if epochs is not None and epochs != -1 and epochs < 1:
        raise ValueError(f"trainer.max_epochs={epochs}: must be at least 1")
    for name, least, most in (
        ("steps", options.get("min_steps"), steps),
        ("epochs", options.get("min_epochs"), epochs),
    ):
        if least is not None and most not in (None, -1) and least > most:
            raise ValueError(
                f"trainer.min_{name}={least}: trainer.max_{name}={most} ends the run before that"
            )
    if steps != -1 and epochs not in (None, -1):
        raise ValueError(
            f"trainer.max_epochs={epochs}: trainer.max_steps={steps} also ends the run, and only "
            "one of them may; set the other to -1"
        )


def check_cooldown(config: Mapping[str, Any]) -> None:
    """Refuse a cooldown of the learning rate that takes longer than the run, or has no end.

    Args:
        config: a resolved configuration.

    Raises:
        ValueError: for such a cooldown.
    """
    cooldown, options = config["model"].get("cooldown_steps", 0), config["trainer"]
    steps, where = options["max_steps"], f"model.cooldown_steps={cooldown}"
    if cooldown and steps == -1 and options.get("max_epochs") in (None, -1):
        raise ValueError(f"{where}: the run has no known end; set trainer.max_steps")
    if steps != -1 and cooldown > steps:
        raise ValueError(f"{where}: the run has only trainer.max_steps={steps}; lower it")


def _check_validation(options: Mapping[str, Any]) -> None:
    """Refuse validations that never happen, or happen in the middle of an optimiser step."""
    interval, steps = options.get("val_check_interval"), options.get("max_steps", -1)
    accumulated = options.get("accumulate_grad_batches", 1)
    if interval is None:
        return
    if interval % accumulated:
        raise ValueError(
            f"trainer.val_check_interval={interval}: counts batches, but a run is validated and "
            "saved only between optimiser steps; allowed: a multiple of "
            f"trainer.accumulate_grad_batches={accumulated}"
        )
    if accumulated > 1 and options.get("check_val_every_n_epoch", 1) is None:
        raise ValueError(
            "trainer.check_val_every_n_epoch=null: with trainer.accumulate_grad_batches="
            f"{accumulated} a validation may come in the middle of an optimiser step, as the end "
            "of a pass cuts a step short; allowed: 1"
        )
    if steps != -1 and interval > steps * accumulated:
        raise ValueError(
            f"trainer.val_check_interval={interval}: the run has only {steps * accumulated} "
            f"batches (trainer.max_steps={steps}) and would never be validated; lower it"
        )


def share_of(options: Mapping[str, Any], name: str, batches: int) -> int:
    """Return how many batches an option such as `limit_val_batches` leaves.

    Raises:
        ValueError: if it leaves none.
    """
    limit = options.get(name)
    if limit is None:
        return batches
    left = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    if not left:
        raise ValueError(f"trainer.{name}={limit}: less than one of {batches} batches; raise it")
    return left


def check_pass(options: Mapping[str, Any], batches: int) -> None:
    """Refuse options that do not fit the length of a pass over the training data.

    Args:
        options: options of the Trainer that passed `check_options`.
        batches: number of batches in a pass.

    Raises:
        ValueError: if a run would have no training, no validation, or no end.
    """
    epochs = options.get("max_epochs")
    if batches >= ENDLESS and epochs not in (None, -1):
        raise ValueError(f"trainer.max_epochs={epochs}: the data have no end; set max_steps")
    batches = share_of(options, "limit_train_batches", batches)
    interval = options.get("val_check_interval")
    if options.get("check_val_every_n_epoch", 1) is not None and interval and interval > batches:
        raise ValueError(
            f"trainer.val_check_interval={interval}: a pass over the training data has only "
            f"{batches} batches; lower it, or count across passes with "
            "trainer.check_val_every_n_epoch: null"
        )
