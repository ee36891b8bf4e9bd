"""LightningCLI as moebench uses it: defaults, links, and which LightningModule."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import GradientAccumulationScheduler
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from moebench.experiment.config_files import config_files
from moebench.experiment.trainer_options import ONE_DEVICE
from moebench.papers.defaults import DEFAULT_DATA, TRAINER_DEFAULTS
from moebench.papers.yaml_files import read_yaml
from moebench.training.module import Training

LARGEST_SEED = 2**32 - 1


def names_a_module(arguments: Sequence[str] | Mapping[str, Any]) -> bool:
    """Say whether a configuration brings a LightningModule of its own, by `model.class_path`."""
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
    """LightningCLI with the links that every experiment has; it reads first and makes later.

    Args:
        args: of the command line, or a configuration as one of these has resolved it.
    """

    parsers: ClassVar[dict[bool, LightningArgumentParser]] = {}  # of all, by `own_module`

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
            parser_kwargs={"exit_on_error": False, "prog": "moebench fit"},
            args=args if isinstance(args, list) else dict(args),
            run=False,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def setup_parser(self, *arguments: Any) -> None:
        """Make the parser once: that takes half as long as a configuration takes to be checked."""
        if self.own_module not in self.parsers:
            super().setup_parser(*arguments)
            self.parsers[self.own_module] = self.parser
        self.parser = self.parsers[self.own_module]

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link the keys that say the same thing, and set the default data."""
        if not self.own_module:
            parser.link_arguments("data.init_args.vocabulary", "model.vocabulary")
        parser.link_arguments("seed_everything", "data.init_args.seed")
        parser.set_defaults({"data": DEFAULT_DATA})

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Check the configuration; a resolved one has all defaults, which take long to look up.

        Raises:
            ValueError: for a seed that is none.
        """
        if isinstance(args, dict):
            self.config = parser.parse_object(args, defaults=False)
        else:
            super().parse_arguments(parser, args)
        seed = self.config["seed_everything"]
        if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed_everything={seed}: must be from 0 to {LARGEST_SEED}")

    def instantiate_classes(self) -> None:
        """Leave it at the checked configuration."""

    def make(self, trainer: Mapping[str, Any]) -> tuple[Any, pl.LightningDataModule, pl.Trainer]:
        """Seed the generators and make model, data and trainer; nothing of them is kept.

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

        Its callbacks and loggers come before those of the configuration, which the run must not
        push aside.

        Raises:
            ValueError: if Lightning refuses, or found several devices to train on; for a schedule
                of accumulation, which Lightning forgets when a run goes on within a pass.
        """
        arguments = {**kwargs, **self.of_this_run, "callbacks": self._both("callbacks")}
        if isinstance(self.of_this_run.get("logger"), list):  # else the run wants none at all
            arguments["logger"] = self._both("logger")
        try:
            trainer = super().instantiate_trainer(**arguments)
        except (MisconfigurationException, ImportError, ValueError) as error:
            raise ValueError(f"trainer: {error}") from error
        if trainer.world_size != 1:
            raise ValueError(
                f"trainer.devices={self._get(self.config, 'trainer.devices')}: these are "
                f"{trainer.world_size}; {ONE_DEVICE}; allowed: 1"
            )
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        if any(isinstance(callback, GradientAccumulationScheduler) for callback in callbacks):
            raise ValueError(
                "trainer.callbacks=GradientAccumulationScheduler: a killed run would go on without"
                " it; allowed: trainer.accumulate_grad_batches, one number for the whole run"
            )
        return trainer

    def _both(self, name: str) -> list[Any]:
        """Return what this run and its configuration bring of a kind, in that order."""
        configured = self._get(self.config_init, f"trainer.{name}") or []
        more = configured if isinstance(configured, list) else [configured]
        return [*self.of_this_run.get(name, []), *more]
