"""The time of a training step: of one model, and of two that take turns."""

import time
from collections.abc import Iterator
from itertools import islice
from statistics import median

import torch

from moebench.experiment.dense_twin.training_flops import Measured

STEPS_TIMED = 15  # or fewer, of long steps: whoever measures cannot say that it is alive
FEWEST_TIMED = 3
SECONDS_TIMED = 10.0


def seconds(of: Measured) -> float:
    """Return the seconds of a training step, the median of a few."""
    return median(islice(_steps(of), 1, 1 + FEWEST_TIMED))  # the first makes room in memory


def times_as_long(one: Measured, other: Measured) -> float:
    """Return how many times as long a training step of one takes as one of the other.

    Both step in turn, and the median of the ratios counts: what else the machine does comes and
    goes, and is the same for two steps that follow each other.
    """
    ours, theirs = _steps(one), _steps(other)
    next(ours), next(theirs)  # the first step of each makes room in memory
    ratios: list[float] = []
    spent = 0.0
    while len(ratios) < FEWEST_TIMED or (len(ratios) < STEPS_TIMED and spent < SECONDS_TIMED):
        pair = next(ours), next(theirs)
        ratios.append(pair[0] / pair[1])
        spent += sum(pair)
    return median(ratios)


def _steps(of: Measured) -> Iterator[float]:
    """Train and yield the seconds of each optimiser step, losses and optimiser included.

    On one batch, as often as a step accumulates, on the device and in the precision of the run.
    """
    model, trainer = of.model, of.trainer
    device = trainer.strategy.root_device
    trainer.precision_plugin.convert_module(model)
    [optimizer], _ = model.to(device).train().configure_optimizers()
    batch = model.transfer_batch_to_device(of.batches[0], device, 0)
    while True:
        started = time.perf_counter()
        for _ in range(trainer.accumulate_grad_batches):
            with trainer.precision_plugin.forward_context():
                output = model.network(batch)
                loss = model.loss(output, batch).total
            model.updates.add(output.decisions)
            loss.backward()
        optimizer.step()
        model.end_step()
        optimizer.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        yield time.perf_counter() - started
