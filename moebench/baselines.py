"""The dense twin of a sparse model: the same model without mixtures, made equal in one cost.

Everything is held as it is but the width of the feed-forward blocks, which is solved for.
"""

import copy
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytorch_lightning as pl
from torch import nn

from moebench.cost import count_batch, parameters
from moebench.experiment import Experiment
from moebench.moe.capacity import Capacity, Limited
from moebench.plan import MatchedOn
from moebench.training import Training, task_loss

STEP = 16  # hidden widths are multiples of this: odd ones leave the fast matrix kernels
STEPS_TIMED = 9


def twin(experiment: Experiment, matched_on: MatchedOn) -> Experiment:
    """Return the dense twin of `experiment`, equal in the cost named, to the nearest width.

    FLOPs are matched as if no row were dropped, so that the twin does not depend on how well an
    untrained router happens to spread the tokens. The data must have been prepared.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    measure = MEASURES[matched_on]
    sparse, data, _ = experiment.build()
    data.setup("fit")
    hidden = experiment.config["model"]["network"]["init_args"]["shape"]["hidden"]
    lift_capacity(sparse)
    target = measure(sparse, data)

    def cost_of(width: int) -> float:
        model, _, _ = dense(experiment, width).build()
        return measure(model, data)

    return dense(experiment, solve(cost_of, target, hidden))


def dense(experiment: Experiment, hidden: int) -> Experiment:
    """Return the experiment without its mixtures, with feed-forward blocks of width `hidden`."""
    config: dict[str, Any] = copy.deepcopy(dict(experiment.config))
    arguments = config["model"]["network"]["init_args"]
    mixtures = [key for key in ("sparse", "attention_sparse") if arguments.get(key)]
    if not mixtures:
        raise ValueError("model.network: has no mixture (sparse, attention_sparse), so no twin")
    arguments.update(dict.fromkeys(mixtures))
    arguments["shape"]["hidden"] = hidden
    return Experiment(config)


def lift_capacity(model: nn.Module) -> None:
    """Give every expert room for every row."""
    for module in model.modules():
        if isinstance(module, Limited):
            room = Capacity(factor=int(module.num_experts))  # type: ignore[arg-type]
            module.capacity = module.eval_capacity = room


def solve(cost_of: Callable[[int], float], target: float, start: int) -> int:
    """Return the width, a multiple of 16, whose cost is nearest to `target`.

    The costs are straight lines in the width, measured time nearly so: a line through two widths
    gives the third, and the nearest of the three is taken.
    """
    first = max(STEP, round(start / STEP) * STEP)
    known = {width: cost_of(width) for width in (first, 2 * first)}
    slope = (known[2 * first] - known[first]) / first
    width = max(STEP, round((first + (target - known[first]) / slope) / STEP) * STEP)
    if width not in known:
        known[width] = cost_of(width)
    return min(known, key=lambda candidate: abs(known[candidate] - target))


def _flops(model: Training, data: pl.LightningDataModule) -> float:
    """Count the FLOPs a token of a forward pass."""
    return count_batch(model.eval().network, next(iter(data.val_dataloader()))).flops_per_token


def _parameters(model: Training, data: pl.LightningDataModule) -> float:
    """Count the parameters."""
    return float(parameters(model))


def _step_time(model: Training, data: pl.LightningDataModule) -> float:
    """Measure the median seconds of a training step, losses and optimiser included."""
    [optimizer], _ = model.configure_optimizers()
    batch = next(iter(data.val_dataloader()))
    model.train()
    seconds = []
    for _ in range(STEPS_TIMED):
        started = time.perf_counter()
        output = model.network(batch)
        losses = model.routing_losses(output.decisions)
        (task_loss(output, batch) + sum(losses.values())).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


MEASURES: dict[MatchedOn, Callable[[Training, pl.LightningDataModule], float]] = {
    "active_flops": _flops,
    "total_params": _parameters,
    "step_time": _step_time,
}
