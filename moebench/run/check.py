"""A look before the leap: what cannot work is refused before anything is written."""

from dataclasses import replace
from typing import Any

from lightning_fabric.utilities.data import sized_len

from moebench.experiment import Experiment, stamp_of
from moebench.experiment.trainer_options import check_pass
from moebench.run.recording import cost_of
from moebench.training import NOT_SCORED


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data, run one batch through the model as in training.

    Returns:
        The experiment, which knows its data from now on.

    Raises:
        ValueError: if a part refuses, such as a capacity of less than one row; if nothing in
            validation is scored; if the trainer's options do not go with the length of the data.
    """
    model, data, _ = experiment.build(logger=False)
    data.prepare_data()
    data.setup("fit")
    batches = sized_len(data.train_dataloader())
    if batches is not None:
        check_pass(experiment.config["trainer"], batches)
    if not any(map(_scored, data.val_dataloader())):
        raise ValueError("data: no target of the validation batches is scored; nothing to judge by")
    cost_of(model.train(), next(iter(data.val_dataloader())))
    return replace(experiment, known_data=stamp_of(data))


def _scored(batch: Any) -> bool:
    """Say whether a batch has a target that counts; one without targets of tokens has."""
    target_BL = getattr(batch, "target_BL", None)
    return target_BL is None or bool((target_BL != NOT_SCORED).any())
