"""From YAML to objects: the only place that knows what jsonargparse makes of a configuration.

An experiment is a list of configuration files, where later files override earlier ones, plus single
keys that override them all. LightningCLI reads it, so every part is typed, checked strictly and
named by its class; a part from any other package is named by its `class_path`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml

from moebench.data.contract import CONTRACT
from moebench.experiment.balance_scope import check_scope
from moebench.experiment.classes import check_classes
from moebench.experiment.code import class_modules, code_of, source_of_modules
from moebench.experiment.config_files import joined, naming_files
from moebench.experiment.device_options import devices_of
from moebench.experiment.lightning_cli import Cli
from moebench.experiment.precision import resolve_precision
from moebench.experiment.refusals import explain, one_line_errors
from moebench.experiment.stamp import DataStamp, stamp_of
from moebench.experiment.text_source import fitting, source_of, takes_text
from moebench.experiment.trainer_options import check_cooldown, check_options
from moebench.experiment.user_parts import naming_user_parts, user_part_error, user_part_keys
from moebench.papers.home import find_config
from moebench.papers.yaml_files import ConfigurationError, naming_file, read_yaml

__all__ = [
    "ConfigurationError",
    "DataStamp",
    "Experiment",
    "as_arguments",
    "checked",
    "explain",
    "fitting",
    "load",
    "naming_configs",
    "naming_file",
    "naming_files",
    "naming_user_parts",
    "parse",
    "read_yaml",
    "source_of",
    "stamp_of",
    "takes_text",
    "user_part_error",
    "user_part_keys",
]

TRAINER = "moebench.run.worker"  # runs whatever a configuration names


@dataclass(frozen=True)
class Experiment:
    """A checked configuration, from which the objects of one run can be built.

    Args:
        config: as LightningCLI resolved it.
        known_data: the stamp of its data, if they have been prepared already.
    """

    config: Mapping[str, Any]
    known_data: DataStamp | None = field(default=None, compare=False)

    @cached_property
    def data(self) -> DataStamp:
        """The stamp of the data; they are prepared first unless it is known."""
        if self.known_data is not None:
            return self.known_data
        _, data, _ = self.build(logger=False)
        data.prepare_data()
        data.setup("fit")
        return stamp_of(data)

    @cached_property
    def code(self) -> Mapping[str, str]:
        """The code outside moebench: module -> digest, installed package -> version."""
        return self.code_now()

    def code_now(self) -> Mapping[str, str]:
        """Return `code` as the source files are now."""
        return code_of(self.config)

    @cached_property
    def source(self) -> str:
        """Digest of the code of moebench and of papers that the experiment runs."""
        return source_of_modules(frozenset({TRAINER, *class_modules(self.config)}))

    @cached_property
    def hash(self) -> str:
        """Hash of the configuration without its seeds."""
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

    def build(self, **trainer: Any) -> tuple[Any, pl.LightningDataModule, pl.Trainer]:
        """Seed the generators and make model, data and trainer.

        The model is a `Training`, or the LightningModule that the configuration names.

        Args:
            **trainer: arguments of the Trainer that belong to the run and not to the experiment,
                such as its folder, loggers and callbacks.

        Raises:
            ConfigurationError: if a part refuses its arguments, or a user's part raises any error.
        """
        with one_line_errors(), naming_user_parts(self.config):
            return _checked(json.dumps(self.config, default=str)).make(trainer)

    def with_seed(self, seed: int) -> "Experiment":
        """Return the same experiment with another seed."""
        data = self.config["data"]
        seeded = {**data, "init_args": {**data["init_args"], "seed": seed}}
        return replace(self, config={**self.config, "seed_everything": seed, "data": seeded})


def load(
    configs: Sequence[Path], settings: Mapping[str, object] | None = None, seed: int = 0
) -> Experiment:
    """Read, merge and check a configuration; nothing is built yet.

    Args:
        configs: YAML files; later files override earlier ones.
        settings: dotted keys and values that override the files, such as
            `{"model.network.sparse.every": 1}`; `trainer.precision: faster` stands for the
            precision that this machine is fast at.
        seed: seed of data order, initial weights and noise.

    Raises:
        ConfigurationError: for a missing file, an unknown key or a value of the wrong type; names
            the file.
    """
    arguments = [*_arguments(configs, settings), f"--seed_everything={seed}"]
    with one_line_errors(), naming_files(arguments):
        return parse(arguments)


def naming_configs(
    configs: Sequence[Path], settings: Mapping[str, object] | None = None
) -> AbstractContextManager[None]:
    """Put the file that has a key before what is refused of it, once such files are loaded.

    Args:
        configs: as of `load`.
        settings: as of `load`.
    """
    return naming_files(_arguments(configs, settings))


def _arguments(configs: Sequence[Path], settings: Mapping[str, object] | None) -> list[str]:
    """Return files and settings in the form that `parse` takes."""
    files = [f"--config={find_config(str(path))}" for path in configs]
    return [*files, *as_arguments(settings or {})]


def as_arguments(settings: Mapping[str, object]) -> list[str]:
    """Return the settings of `load` as arguments of `parse`."""
    return [
        f"--{key}={value if isinstance(value, str) else json.dumps(value, default=str)}"
        for key, value in resolve_precision(settings).items()
    ]


def parse(arguments: Sequence[str]) -> Experiment:
    """Check an experiment given as command-line arguments (`--config`, `--<key>`).

    Raises:
        ConfigurationError: as `load`, or for a trainer option that runs do not support.
        SystemExit: after printing, for `--help` and `--print_config`.
    """
    with one_line_errors():
        config = Cli(joined(arguments)).config.as_dict()
        config.pop("config", None)
        check_classes(config)
        return checked(json.loads(json.dumps(config, default=str)))


def checked(config: dict[str, Any]) -> Experiment:
    """Return the experiment of a configuration whose values are each of the right type.

    Raises:
        ValueError: for values that do not go together.
    """
    _check_data(config)
    experiment = Experiment(_without_unset_names(config))
    check_options(experiment.config["trainer"])
    _check_module(experiment.config)
    check_scope(experiment.config)
    check_cooldown(experiment.config)
    return experiment


def _check_module(config: Mapping[str, Any]) -> None:
    """Refuse several devices for a module that would train on the whole batch on each."""
    devices, name = devices_of(config["trainer"]), config["model"].get("class_path")
    if devices > 1 and name:
        raise ValueError(
            f"trainer.devices={devices}: model={name} does not share its batches out, as "
            "moebench's own module does; allowed: 1"
        )


def _check_data(config: Mapping[str, Any]) -> None:
    """Refuse a data module that does not take a seed and, for models of tokens, a vocabulary."""
    data, own_module = config["data"], "class_path" in config["model"]
    for name in ("seed",) if own_module else ("seed", "vocabulary"):
        if name not in data.get("init_args", {}):
            raise ValueError(f"data={data['class_path']}: takes no argument {name}, see {CONTRACT}")


def _without_unset_names(config: dict[str, Any]) -> dict[str, Any]:
    """Drop the names of losses where they are not set.

    This keeps the hashes of configurations from before losses had names.
    """
    for term in config["model"].get("losses") or ():
        if term.get("name") is None:
            term.pop("name", None)
    return config


@lru_cache(maxsize=4)
def _checked(config: str) -> Cli:
    """Check a resolved configuration once, as that takes longer than building its objects.

    A run is built twice: to identify its data, and to train.
    """
    return Cli(json.loads(config))
