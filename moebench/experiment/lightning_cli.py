"""LightningCLI as moebench uses it: defaults, linked keys, and the choice of LightningModule."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import GradientAccumulationScheduler
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from moebench.experiment.config_files import config_files
from moebench.experiment.device_options import devices_of
from moebench.papers.defaults import DEFAULT_DATA, TRAINER_DEFAULTS
from moebench.papers.yaml_files import read_yaml
from moebench.training.module import Training

LARGEST_SEED = 2**32 - 1
VOCABULARY = "data.init_args.vocabulary", "model.vocabulary"
SEED = "seed_everything", "data.init_args.seed"
LINKED = frozenset({*VOCABULARY, *SEED})  # keys that have the value of another, or give it


def names_a_module(arguments: Sequence[str] | Mapping[str, Any]) -> bool:
    """Say whether a configuration names its own LightningModule, by `model.class_path`."""
    if isinstance(arguments, Mapping):
        return "class_path" in (arguments.get("model") or {})
    if any(re.match(r"--model(\.class_path)?(=|$)", argument) for argument in arguments):
        return True
    configs = [read_yaml(path) for path in config_files(arguments) if path.is_file()]
    return any(
        isinstance(config.get("model"), dict) and "class_path" in config["model"]
        for config in configs
    )


class Cli(LightningCLI):
    """LightningCLI with the linked keys of every experiment; it reads now and builds on demand.

    Args:
        args: arguments of the command line, or an already resolved configuration.
    """

    parsers: ClassVar[dict[bool, LightningArgumentParser]] = {}  # by `own_module`

    def __init__(self, args: list[str] | Mapping[str, Any]) -> None:
        self.of_this_run: dict[str, Any] = {}
        self.own_module = names_a_module(args)
        super().__init__(
            pl.LightningModule if self.own_module else Training,
            pl.LightningDataModule,
            subclass_mode_model=self.own_module,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=0,
            trainer_defaults=TRAINER_DEFAULTS,
            parser_kwargs={"allow_abbrev": False, "exit_on_error": False, "prog": "moebench fit"},
            args=args if isinstance(args, list) else dict(args),
            run=False,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def setup_parser(self, *arguments: Any) -> None:
        """Make the parser once: it takes half as long as checking a configuration."""
        if self.own_module not in self.parsers:
            super().setup_parser(*arguments)
            self.parsers[self.own_module] = self.parser
        self.parser = self.parsers[self.own_module]

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link keys that must have equal values, and set the default data."""
        if not self.own_module:
            parser.link_arguments(*VOCABULARY)
        parser.link_arguments(*SEED)
        parser.set_defaults({"data": DEFAULT_DATA})

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Check the configuration, without the slow look-up of defaults if it has them all.

        Raises:
            ValueError: for an invalid seed.
        """
        if isinstance(args, dict):
            self.config = parser.parse_object(args, defaults=False)
        else:
            super().parse_arguments(parser, args)
        seed = self.config["seed_everything"]
        if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed_everything={seed}: must be from 0 to {LARGEST_SEED}")

    def instantiate_classes(self) -> None:
        """Build nothing yet; `make` does."""

    def make(self, trainer: Mapping[str, Any]) -> tuple[Any, pl.LightningDataModule, pl.Trainer]:
        """Seed the generators and make model, data and trainer; keep none of them.

        Args:
            trainer: arguments of the Trainer that belong to this run.
        """
        run = copy.copy(self)
        run.of_this_run = dict(trainer)
        run._set_seed()
        super(Cli, run).instantiate_classes()
        return run.model, run.datamodule, run.trainer

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the trainer, with the arguments that belong to this run.

        The run's callbacks and loggers come first; those of the configuration are added to them.

        Raises:
            ValueError: if Lightning refuses the arguments or selects more devices than are asked
                for; for a schedule of accumulation, which Lightning forgets when a run resumes
                within a pass.
        """
        arguments = {**kwargs, **self.of_this_run, "callbacks": self._both("callbacks")}
        if isinstance(self.of_this_run.get("logger"), list):  # otherwise the run wants no logger
            arguments["logger"] = self._both("logger")
        try:
            trainer = super().instantiate_trainer(**arguments)
        except (MisconfigurationException, ImportError, ValueError) as error:
            raise ValueError(f"trainer: {error}") from error
        devices = self._get(self.config, "trainer.devices")
        if trainer.world_size != devices_of({"devices": devices}):
            raise ValueError(
                f"trainer.devices={devices}: selects {trainer.world_size} devices "
                "here; say how many, as their number is part of the experiment"
            )
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        if any(isinstance(callback, GradientAccumulationScheduler) for callback in callbacks):
            raise ValueError(
                "trainer.callbacks=GradientAccumulationScheduler: a killed run would resume without"
                " it; allowed: trainer.accumulate_grad_batches, one number for the whole run"
            )
        return trainer

    def _both(self, name: str) -> list[Any]:
        """Return the callbacks or loggers of this run, then those of its configuration."""
        configured = self._get(self.config_init, f"trainer.{name}") or []
        more = configured if isinstance(configured, list) else [configured]
        return [*self.of_this_run.get(name, []), *more]
