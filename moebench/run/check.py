"""Checks before a run: what cannot work is refused before anything is written."""

from dataclasses import replace
from itertools import islice
from typing import Any

from lightning_fabric.utilities.data import sized_len

from moebench.data.contract import UNSCORED, check_module, loader_of
from moebench.experiment import Experiment, naming_user_parts, stamp_of
from moebench.experiment.trainer_options import check_pass, share_of
from moebench.run.first_step import try_first_step
from moebench.run.promises import promises_kept
from moebench.run.recording import cost_of
from moebench.run.too_large import naming_sizes
from moebench.training.module import Training
from moebench.training.share import share


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data and run one batch through the model as in training.

    With a part of somebody else's, a step is made with it and thrown away.

    Returns:
        The experiment with its data known.

    Raises:
        ValueError: if a part refuses, such as a capacity of less than one row, or one of somebody
            else raises, or does not answer as such a part does; if nothing in validation is
            scored; if the trainer's options do not go with the length of the data, or the devices
            with the size of a batch; if the data module or its batches lack a part of their
            contract; if there is no room.
    """
    with naming_sizes(), naming_user_parts(experiment.config):
        return _checked(experiment)


def _checked(experiment: Experiment) -> Experiment:
    """Check an experiment whose parts may raise anything."""
    model, data, trainer = experiment.build(logger=False)
    if isinstance(model, Training):  # any other module may ask its trainer
        model.configure_optimizers()
    data.prepare_data()
    data.setup("fit")
    check_module(data)
    options = experiment.config["trainer"]
    training = loader_of(data, "train_dataloader")
    batches = sized_len(training)
    if batches is not None:
        check_pass(options, batches)
    validation = loader_of(data, "val_dataloader")
    batches = sized_len(validation)
    used = None if batches is None else share_of(options, "limit_val_batches", batches)
    if not any(map(_scored, islice(validation, used))):
        raise ValueError("data: no target of the validation batches is scored, so there is no loss")
    devices = trainer.world_size
    for loader in (training, validation) if devices > 1 else ():
        share(next(iter(loader)), 0, devices)
    with promises_kept(model, experiment.config):
        cost_of(model.train(), next(iter(data.val_dataloader())), trainer)
    try_first_step(experiment)
    return replace(experiment, known_data=stamp_of(data))


def _scored(batch: Any) -> bool:
    """Say whether any target of a batch is scored; a batch without token targets is."""
    target_BL = getattr(batch, "target_BL", None)
    return target_BL is None or bool((target_BL != UNSCORED).any())
