"""The time of a training step, of one model or of two that alternate."""

import time
from collections.abc import Iterator
from itertools import islice
from statistics import median

import torch

from moebench.experiment.dense_twin.training_flops import TrainingSetup

STEPS_TIMED = 15  # fewer if steps are long: a worker cannot report that it is alive meanwhile
FEWEST_TIMED = 3
SECONDS_TIMED = 10.0


def seconds_per_step(of: TrainingSetup) -> float:
    """Return the seconds of a training step, the median of a few."""
    return median(islice(_steps(of), 1, 1 + FEWEST_TIMED))  # the first one allocates memory


def step_time_ratio(one: TrainingSetup, other: TrainingSetup) -> float:
    """Return the time of a training step of one model over that of the other.

    The models alternate, and the result is the median of the ratios: other load on the machine
    comes and goes, and affects two consecutive steps alike.
    """
    ours, theirs = _steps(one), _steps(other)
    next(ours), next(theirs)  # the first step of each allocates memory
    ratios: list[float] = []
    spent = 0.0
    while len(ratios) < FEWEST_TIMED or (len(ratios) < STEPS_TIMED and spent < SECONDS_TIMED):
        pair = next(ours), next(theirs)
        ratios.append(pair[0] / pair[1])
        spent += sum(pair)
    return median(ratios)


def _steps(of: TrainingSetup) -> Iterator[float]:
    """Train and yield the seconds of each optimiser step, losses and optimiser included.

    All steps are on one batch, with the accumulation, device and precision of the run.
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
