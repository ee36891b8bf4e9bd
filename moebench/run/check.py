"""A look before the leap: what cannot work is refused before anything is written."""

from dataclasses import replace
from itertools import islice
from typing import Any

from lightning_fabric.utilities.data import sized_len

from moebench.experiment import Experiment, stamp_of
from moebench.experiment.trainer_options import check_pass, share_of
from moebench.run.recording import cost_of
from moebench.training import NOT_SCORED


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data, run one batch through the model as in training.

    Returns:
        The experiment, which knows its data from now on.

    Raises:
        ValueError: if a part refuses, such as a capacity of less than one row; if nothing in
            validation is scored; if the trainer's options do not go with the length of the data;
            if data of somebody's own do not say what a record needs.
    """
    model, data, trainer = experiment.build(logger=False)
    data.prepare_data()
    data.setup("fit")
    for name in ("content_hash", "tokens_per_batch"):
        if not hasattr(data, name):
            raise ValueError(f"data={type(data).__name__}: has no {name}, which a record needs")
    options = experiment.config["trainer"]
    batches = sized_len(data.train_dataloader())
    if batches is not None:
        check_pass(options, batches)
    validation = data.val_dataloader()
    batches = sized_len(validation)
    used = None if batches is None else share_of(options, "limit_val_batches", batches)
    if not any(map(_scored, islice(validation, used))):
        raise ValueError("data: no target of the validation batches is scored; nothing to judge by")
    cost_of(model.train(), next(iter(data.val_dataloader())), trainer)
    return replace(experiment, known_data=stamp_of(data))


def _scored(batch: Any) -> bool:
    """Say whether a batch has a target that counts; one without targets of tokens has."""
    target_BL = getattr(batch, "target_BL", None)
    return target_BL is None or bool((target_BL != NOT_SCORED).any())
