"""The FLOPs of a model in training: those of all rows that its routers request, dropped or not."""

import copy
from collections.abc import Sequence
from itertools import islice
from statistics import fmean
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from moebench.experiment import Experiment
from moebench.experiment.device_options import ONE_DEVICE
from moebench.experiment.precision import training_autocast
from moebench.training.cost import count_batch, nothing_dropped
from moebench.training.gradient_check import router_parameters
from moebench.training.module import Training

# If the number of rows depends on what a router has learnt:
STEPS = 50  # steps to train before counting them
BATCHES = 4  # batches to count them on


class TrainingSetup(NamedTuple):
    """A model, the trainer of its run, and training batches."""

    model: Training
    trainer: pl.Trainer
    batches: Sequence[Any]


def training_setup(experiment: Experiment) -> TrainingSetup:
    """Return the model of an experiment with training batches; the data must be prepared.

    If the routers request a fixed number of rows, whatever their weights and the batch, one batch
    gives the exact count, and the model is new. Otherwise it is trained for a few steps first.
    """
    model, data, trainer = experiment.build(logger=False)
    data.setup("fit")
    device = trainer.strategy.root_device  # faster for a large model than the processor
    model.to(device)
    given = islice(data.train_dataloader(), BATCHES)
    batches = [model.transfer_batch_to_device(batch, device, 0) for batch in given]
    with training_autocast(trainer):
        fixed = rows_are_fixed(model.network, batches[0], batches[-1])
    if fixed:
        return TrainingSetup(model, trainer, batches[:1])
    model, trainer = _trained(experiment)
    return TrainingSetup(model, trainer, batches)


def rows_are_fixed(network: nn.Module, one: Any, other: Any) -> bool:
    """Say whether, in training, the routers request a fixed number of rows per token.

    Compares the network on one batch with a copy whose routers have random weights on the other.
    """
    scrambled = copy.deepcopy(network)
    for parameter in router_parameters(scrambled):
        nn.init.normal_(parameter)
    return _rows(network, one) == _rows(scrambled, other)


@torch.no_grad()
def _rows(network: nn.Module, batch: Any) -> list[float]:
    """Return the rows per token of every layer, in training."""
    decisions = network.train()(batch).decisions
    return [decision.token_A.numel() / decision.num_tokens for decision in decisions]


def _trained(experiment: Experiment) -> tuple[Training, pl.Trainer]:
    """Train for a few steps without writing anything."""
    config: dict[str, Any] = copy.deepcopy(dict(experiment.config))
    longest = config["trainer"]["max_steps"]
    config["trainer"] |= {
        **ONE_DEVICE,
        "max_steps": STEPS if longest < 0 else min(STEPS, longest),
        "callbacks": None,  # they are meant for runs, and this is not one
    }
    model, data, trainer = Experiment(config).build(
        logger=False, enable_checkpointing=False, limit_val_batches=0
    )
    trainer.fit(model, data)
    return model, trainer


def flops_per_token(of: TrainingSetup) -> float:
    """Count the FLOPs per token of a forward pass in training, as if no row were dropped."""
    network = of.model.to(of.trainer.strategy.root_device).train().network
    with nothing_dropped(network), training_autocast(of.trainer):
        return fmean(count_batch(network, batch).flops_per_token for batch in of.batches)
