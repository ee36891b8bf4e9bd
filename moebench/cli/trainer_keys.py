"""The keys of the trainer that a person may set, in our own words.

Lightning's Trainer has more; those have one value that a run can honour.
"""

from moebench.cli.part_options import Option, options_of
from moebench.cli.part_sources import part_of
from moebench.papers.defaults import TRAINER_DEFAULTS

TRAINER = ("Trainer", "pytorch_lightning.trainer.trainer")
COUNT = "whole number"
SWITCH = "true or false"
KEYS = {  # title -> key -> what it takes, and what it does
    "how long": {
        "max_steps": (COUNT, "optimiser steps of a run; -1: max_epochs ends it"),
        "max_epochs": (COUNT, "passes over the training data; needs max_steps: -1"),
        "min_steps": (COUNT, "steps before anything may end the run early"),
        "min_epochs": (COUNT, "passes before anything may end the run early"),
        "limit_train_batches": ("number", "training batches of a pass: a count, or a share"),
    },
    "validation": {
        "val_check_interval": (COUNT, "batches from one validation to the next"),
        "check_val_every_n_epoch": ("1 or null", "null: the interval counts across passes"),
        "limit_val_batches": ("number", "batches of a validation: a count, or a share"),
    },
    "optimiser steps": {
        "accumulate_grad_batches": (COUNT, "batches that make up one step"),
        "gradient_clip_val": ("number", "largest gradient; null: no clipping"),
        "gradient_clip_algorithm": ("norm or value", "what is clipped; null: the norm"),
    },
    "machine": {
        "accelerator": ("text", "cpu, gpu, or auto: a GPU if there is one"),
        "devices": ("number or list", "how many share every batch, or the numbers of those"),
        "strategy": ("auto or ddp", "how several devices train a run; auto: ddp"),
        "precision": ("text", "such as 32-true or bf16-mixed; null: 32-true"),
        "deterministic": (f"{SWITCH} or warn", "whether the same seed gives the same bits"),
        "benchmark": (SWITCH, "whether cuDNN looks for its fastest kernels"),
        "plugins": ("parts", "Lightning's, by class_path"),
    },
    "what is shown and kept": {
        "log_every_n_steps": (COUNT, "steps from one line of the history to the next"),
        "callbacks": ("parts", "your own, beside those of the run, by class_path"),
        "logger": ("part or false", "one of your own beside the history, by class_path"),
        "enable_progress_bar": (SWITCH, "whether Lightning draws its bar"),
        "enable_model_summary": (SWITCH, "whether Lightning prints the layers"),
        "enable_autolog_hparams": (SWITCH, "whether loggers get the hyperparameters"),
        "profiler": ("text or part", "such as simple: where the time goes"),
        "detect_anomaly": (SWITCH, "whether to look for the origin of NaN; slow"),
    },
}


def trainer_options() -> dict[str, Option]:
    """Return all options of the trainer by name; those of `KEYS` as they are told here."""
    trainer = part_of(*TRAINER)
    assert trainer is not None
    known = {one.name: one for one in options_of(trainer)}
    for name, value in TRAINER_DEFAULTS.items():
        known[name] = known[name]._replace(default=str(value).lower())
    for name, (kind, says) in ((name, told) for of in KEYS.values() for name, told in of.items()):
        known[name] = known[name]._replace(kind=kind, says=says)
    return known


def trainer_groups() -> dict[str, list[Option]]:
    """Return title -> the keys that a person may set."""
    known = trainer_options()
    return {title: [known[name] for name in keys] for title, keys in KEYS.items()}


def fixed_keys() -> list[str]:
    """Return the keys that have one value only in a run."""
    settable = {name for keys in KEYS.values() for name in keys}
    return [name for name in trainer_options() if name not in settable]
