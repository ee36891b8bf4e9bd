"""The FLOPs of a model in training: what its router asks for there, none of it dropped."""

import copy
from collections.abc import Sequence
from itertools import islice
from statistics import fmean
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from moebench.experiment import Experiment
from moebench.experiment.precision import where_it_trains
from moebench.training.cost import count_batch, nothing_dropped
from moebench.training.gradient_check import router_parameters
from moebench.training.module import Training

STEPS = 50  # of training before rows are counted that depend on what a router has learnt
BATCHES = 4  # that such rows are counted on


class Measured(NamedTuple):
    """A model, the trainer of its run, and training batches."""

    model: Training
    trainer: pl.Trainer
    batches: Sequence[Any]


def in_training(experiment: Experiment) -> Measured:
    """Return the model of an experiment and batches of its training, which are prepared.

    A router that asks for as many rows whatever its weights and the batch are is counted exactly,
    by one batch, as it begins. Any other has been trained for some steps before.
    """
    model, data, trainer = experiment.build(logger=False)
    data.setup("fit")
    device = trainer.strategy.root_device  # where a large model does not take long
    model.to(device)
    given = islice(data.train_dataloader(), BATCHES)
    batches = [model.transfer_batch_to_device(batch, device, 0) for batch in given]
    with where_it_trains(trainer):
        fixed = rows_are_fixed(model.network, batches[0], batches[-1])
    if fixed:
        return Measured(model, trainer, batches[:1])
    model, trainer = _trained(experiment)
    return Measured(model, trainer, batches)


def rows_are_fixed(network: nn.Module, one: Any, other: Any) -> bool:
    """Say whether, in training, the routers ask for equally many rows for each token.

    Asked are the network as it is about one batch, and a copy whose routers have random weights
    about the other.
    """
    scrambled = copy.deepcopy(network)
    for parameter in router_parameters(scrambled):
        nn.init.normal_(parameter)
    return _rows(network, one) == _rows(scrambled, other)


@torch.no_grad()
def _rows(network: nn.Module, batch: Any) -> list[float]:
    """Return the rows for each token of every layer, in training."""
    decisions = network.train()(batch).decisions
    return [decision.token_A.numel() / decision.num_tokens for decision in decisions]


def _trained(experiment: Experiment) -> tuple[Training, pl.Trainer]:
    """Train for a few steps and leave nothing behind."""
    config: dict[str, Any] = copy.deepcopy(dict(experiment.config))
    longest = config["trainer"]["max_steps"]
    config["trainer"] |= {
        "max_steps": STEPS if longest < 0 else min(STEPS, longest),
        "callbacks": None,  # they watch a run, and this is none
    }
    model, data, trainer = Experiment(config).build(
        logger=False, enable_checkpointing=False, limit_val_batches=0
    )
    trainer.fit(model, data)
    return model, trainer


def flops(of: Measured) -> float:
    """Count the FLOPs a token of a forward pass in training, as if no row were dropped."""
    network = of.model.to(of.trainer.strategy.root_device).train().network
    with nothing_dropped(network), where_it_trains(of.trainer):
        return fmean(count_batch(network, batch).flops_per_token for batch in of.batches)
