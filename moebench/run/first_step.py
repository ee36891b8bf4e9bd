"""The first step of an experiment with parts of somebody else's, made and thrown away.

Losses, dispatchers, optimisers and gradients are met in training alone.
"""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moebench.experiment import Experiment, user_part_keys
from moebench.experiment.device_options import ONE_DEVICE
from moebench.run.promises import ids_in_vocabulary, promises_kept


def try_first_step(experiment: Experiment) -> None:
    """Train for one step and validate on one batch, if any part is somebody else's.

    Callbacks and loggers are left out: they watch a run, and what they write stays.

    Raises:
        Exception: whatever a part raises.
        ConfigurationError: if a part answers with what nothing can be done with.
    """
    if not user_part_keys(experiment.config):
        return
    config: dict[str, Any] = copy.deepcopy(dict(experiment.config))
    config["trainer"] |= {**ONE_DEVICE, "callbacks": None}
    model, data, trainer = Experiment(config).build(
        logger=False,
        enable_checkpointing=False,
        max_steps=1,
        max_epochs=None,
        accumulate_grad_batches=1,
        val_check_interval=1,
        limit_val_batches=1,
    )
    network = getattr(model, "network", model)
    with (
        promises_kept(model, config),
        ids_in_vocabulary(network, data),
        in_silence(),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", module="lightning_fabric|pytorch_lightning")
        trainer.fit(model, data)


@contextmanager
def in_silence() -> Iterator[None]:
    """Hide what is logged of a step that is thrown away: the run logs it again."""
    logger = logging.getLogger("moebench")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
