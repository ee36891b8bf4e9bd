"""From YAML to objects: the only place that knows yaml and jsonargparse.

An experiment is a list of configuration files, later ones laid over earlier ones, and single keys
laid over them all. LightningCLI reads it, so every part is typed, strict and named by its class; a
part of somebody else's package joins by its `class_path`.
"""

import copy
import hashlib
import importlib
import inspect
import json
import logging
import re
import warnings
from argparse import ArgumentError
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from moebench.data.objectives import OBJECTIVES
from moebench.data.sources import SOURCES
from moebench.models import MODELS
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import EXPERTS
from moebench.moe.losses import LOSSES
from moebench.moe.overflow import OVERFLOW
from moebench.moe.routers import ROUTERS
from moebench.training import Training

DEFAULT_DATA = {
    "class_path": "moebench.data.text.Text",
    "init_args": {
        "source": {"class_path": "moebench.data.sources.Packages"},
        "objective": {"class_path": "moebench.data.objectives.NextToken"},
    },
}
TRAINER_DEFAULTS = {
    "accelerator": "auto",
    "devices": 1,
    "deterministic": True,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "log_every_n_steps": 10,
    "max_steps": 400,
    "num_sanity_val_steps": 0,
    "val_check_interval": 50,
}
CHATTER = (  # loggers that tell of seeds, devices and products at every build
    "lightning_fabric.utilities.seed",
    "pytorch_lightning.utilities.rank_zero",
)
FAMILIES = (ROUTERS, EXPERTS, DISPATCHERS, LOSSES, OVERFLOW, MODELS, SOURCES, OBJECTIVES)
UNKNOWN_NAME = (
    r"Expected a dot import path string: (\S+?)\.?(?=\s|$)"
    r"|(?:has no attribute|No module named) '([^']+)'"
)
NOISE = (  # lines of a report that are not the reason
    "Does not validate",
    "Errors:",
    "Expected a <class 'NoneType'>",
    "Given value",
    "Parser key",
    "Problem",
    "Subtypes",
)


class ConfigurationError(ValueError):
    """A configuration that cannot be built; the message is one line."""


@dataclass(frozen=True)
class Experiment:
    """A checked configuration, from which the objects of one run can be built."""

    config: Mapping[str, Any]

    @cached_property
    def hash(self) -> str:
        """Hash of everything that decides the result, the seed aside."""
        decisive = {key: value for key, value in self.config.items() if key != "seed_everything"}
        decisive["data"] = {
            "class_path": decisive["data"]["class_path"],
            "init_args": {k: v for k, v in decisive["data"]["init_args"].items() if k != "seed"},
        }
        text = json.dumps(decisive, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_yaml(self) -> str:
        """Return the resolved configuration in the form `moebench fit --config` reads."""
        return str(yaml.safe_dump(json.loads(json.dumps(self.config, default=str))))

    def build(self, **trainer: Any) -> tuple[Training, pl.LightningDataModule, pl.Trainer]:
        """Seed the generators and make model, data and trainer.

        Args:
            **trainer: arguments of the Trainer that belong to the run and not to the experiment,
                such as its folder, loggers and callbacks.

        Raises:
            ConfigurationError: if a part refuses its arguments.
        """
        with _one_line_errors():
            cli = _Cli(copy.deepcopy(dict(self.config)), build=True, trainer=trainer)
            return cli.model, cli.datamodule, cli.trainer

    def with_seed(self, seed: int) -> "Experiment":
        """Return the same experiment with another seed."""
        data = self.config["data"]
        seeded = {**data, "init_args": {**data["init_args"], "seed": seed}}
        return Experiment({**self.config, "seed_everything": seed, "data": seeded})


def load(
    configs: Sequence[Path], settings: Mapping[str, object] | None = None, seed: int = 0
) -> Experiment:
    """Read, merge and check a configuration; nothing is built yet.

    Args:
        configs: YAML files, later ones laid over earlier ones.
        settings: dotted keys and values laid over the files, such as
            `{"model.network.sparse.every": 1}`.
        seed: seed of data order, initial weights and noise.

    Raises:
        ConfigurationError: for a missing file, an unknown key or a value of the wrong type.
    """
    arguments = [f"--config={path}" for path in configs]
    for key, value in (settings or {}).items():
        arguments.append(f"--{key}={value if isinstance(value, str) else json.dumps(value)}")
    return parse([*arguments, f"--seed_everything={seed}"])


def parse(arguments: Sequence[str]) -> Experiment:
    """Check an experiment given as command-line arguments (`--config`, `--<key>`, `--help`).

    Raises:
        ConfigurationError: as `load`.
        SystemExit: after printing, for `--help` and `--print_config`.
    """
    with _one_line_errors():
        config = _Cli(list(arguments), build=False).config.as_dict()
    config.pop("config", None)
    return Experiment(json.loads(json.dumps(config, default=str)))


class _Cli(LightningCLI):
    """LightningCLI with the links that every experiment has."""

    def __init__(
        self,
        args: list[str] | Mapping[str, Any],
        build: bool,
        trainer: Mapping[str, Any] | None = None,
    ) -> None:
        self.build = build
        self.of_this_run = dict(trainer or {})
        super().__init__(
            Training,
            pl.LightningDataModule,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=0,
            trainer_defaults=TRAINER_DEFAULTS,
            parser_kwargs={"exit_on_error": False, "prog": "moebench fit"},
            args=args if isinstance(args, list) else dict(args),
            run=False,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("data.init_args.vocabulary", "model.vocabulary")
        parser.link_arguments("seed_everything", "data.init_args.seed")
        parser.set_defaults({"data": DEFAULT_DATA})

    def instantiate_classes(self) -> None:
        if self.build:
            super().instantiate_classes()

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        return super().instantiate_trainer(**kwargs, **self.of_this_run)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn what jsonargparse and the parts raise into a ConfigurationError of one line."""
    for name in CHATTER:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="jsonargparse|pytorch_lightning")
            warnings.filterwarnings("ignore", message=".*LightningCLI's args parameter.*")
            yield
    except (ArgumentError, ValueError, TypeError, FileNotFoundError, ImportError) as error:
        raise ConfigurationError(explain(str(error))) from error


def explain(message: str) -> str:
    """Return the one line of jsonargparse's report that a person needs.

    The report is nested, one level for each part within a part; the innermost complaint is the
    reason, the chain of "Parser key" lines is the place.
    """
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    value = re.search(r"Given value: (?!Namespace|NestedArg)(.{1,60})$", message, re.MULTILINE)
    place = f"{key}={value[1]}" if key and value else key
    refused = re.search(r"Option '[^']+' is not accepted|unrecognized arguments: \S+", message)
    unknown = re.search(UNKNOWN_NAME, message)
    if refused:
        allowed = _parameters(message[refused.end() :]) or "see `moebench fit --help`"
        return f"{key}: {refused[0].rstrip('.')}; allowed: {allowed}".removeprefix(": ")
    if unknown:
        name = unknown[1] or unknown[2]
        return f"{key}: no class or module is called {name}; a class_path or one of {_names()}"
    lines = [re.sub(r"\s*Got value: .*|^[-\s]+", "", line) for line in message.splitlines()]
    useful = [
        re.sub(r"^Type \S+\[.*?\] expects a function or a callable class: ", "", line)
        for line in lines
        if line and not line.startswith(NOISE)
    ]
    reason = useful[-1] if useful else message
    own_key = re.match(r"[\w.]+=", reason)
    return reason if own_key or not place or key in reason else f"{place}: {reason}"


def _parameters(report: str) -> str:
    """Return what the part whose option was refused does accept; empty where it is not named."""
    path = re.match(r".*?class_path='([\w.]+)', init_args=", report, re.DOTALL)
    if path is None:
        return ""
    module, _, name = path[1].rpartition(".")
    part = getattr(importlib.import_module(module), name)
    return ", ".join(inspect.signature(part).parameters)


def _names() -> str:
    """Return the short names of all parts, for a message."""
    return ", ".join(sorted(part.__name__ for family in FAMILIES for part in family.values()))
