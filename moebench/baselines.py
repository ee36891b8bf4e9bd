"""The dense twin of a sparse model: the same model without mixtures, made equal in one cost.

Everything is held as it is but the width of the dense blocks, which is solved for.
"""

import copy
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from moebench.cost import count_batch, parameters
from moebench.experiment import Experiment
from moebench.models.lstm_moe_2017 import SigmoidMixture, SingleExpert
from moebench.moe.capacity import Capacity, Limited
from moebench.plan import MatchedOn
from moebench.training import Training, task_loss

STEP = 16  # hidden widths are multiples of this: odd ones leave the fast matrix kernels
FIRST_WIDTH = 256  # tried first where a model names no width
STEPS_TIMED = 15  # or fewer, of long steps: whoever measures cannot say that it is alive
FEWEST_TIMED = 3
SECONDS_TIMED = 10.0
WITHOUT = {"losses": None, "router_rate": 1.0}  # of a model that routes nothing


def twin(experiment: Experiment, matched_on: MatchedOn) -> Experiment:
    """Return the dense twin of `experiment`, equal in the cost named, to the nearest width.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    return dense(experiment, twin_width(experiment, matched_on))


def twin_width(experiment: Experiment, matched_on: MatchedOn) -> int:
    """Return the width of the dense blocks of the twin.

    FLOPs are matched as if no row were dropped, so that the twin does not depend on how well an
    untrained router happens to spread the tokens; time is that of the mixture as it is. The data
    must have been prepared.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    dense(experiment, FIRST_WIDTH)  # which refuses, before anything is measured
    sparse, data, trainer = experiment.build()
    data.setup("fit")
    mixture = Measured(sparse, data, trainer)

    def cost_of(width: int) -> float:
        model, _, trainer = dense(experiment, width).build()
        return RELATIVE[matched_on](Measured(model, data, trainer), mixture)

    shape = experiment.config["model"]["network"]["init_args"]["shape"]
    return solve(cost_of, 1.0, shape.get("hidden", FIRST_WIDTH))


def dense(experiment: Experiment, hidden: int) -> Experiment:
    """Return the experiment without its mixtures, with dense blocks of width `hidden`.

    What is for routing alone goes with them: losses on decisions, the routers' learning rate.

    Raises:
        ValueError: if the experiment has no mixture that a dense block can take the place of.
    """
    config: dict[str, Any] = copy.deepcopy(dict(experiment.config))
    arguments = config["model"].get("network", {}).get("init_args", {})
    if not (_plain_blocks(arguments, hidden) or _one_expert(arguments, hidden)):
        raise ValueError(
            "model.network: has no mixture (sparse, attention_sparse, or a SigmoidMixture in the"
            " middle), so no twin"
        )
    # Of two points that differ in these alone the twins are one.
    config["model"] |= {key: value for key, value in WITHOUT.items() if key in config["model"]}
    return Experiment(config)


def _plain_blocks(arguments: dict[str, Any], hidden: int) -> bool:
    """Make the blocks of a transformer dense; False where none is a mixture."""
    mixtures = [key for key in ("sparse", "attention_sparse") if arguments.get(key)]
    if mixtures:
        arguments.update(dict.fromkeys(mixtures))
        arguments["shape"]["hidden"] = hidden
    return bool(mixtures)


def _one_expert(arguments: dict[str, Any], hidden: int) -> bool:
    """Make the middle of a recurrent model dense, as the paper's MoE-1-Wide; False if it has none.

    Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix C.1.
    """
    middle = arguments.get("middle") or {}
    mixture = middle.get("class_path") == _path(SigmoidMixture)
    if mixture:
        inside = {"hidden": hidden, "layers": 1}
        arguments["middle"] = {"class_path": _path(SingleExpert), "init_args": inside}
    return mixture


def _path(part: type[nn.Module]) -> str:
    """Return the name of a part in a checked configuration."""
    return f"{part.__module__}.{part.__qualname__}"


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
    if slope > 0:  # a noisy clock may say otherwise
        width = max(STEP, round((first + (target - known[first]) / slope) / STEP) * STEP)
        if width not in known:
            known[width] = cost_of(width)
    return min(known, key=lambda candidate: abs(known[candidate] - target))


class Measured(NamedTuple):
    """A model, the data and the trainer of its run."""

    model: Training
    data: pl.LightningDataModule
    trainer: pl.Trainer


def flops(of: Measured) -> float:
    """Count the FLOPs a token of a forward pass, as if no row were dropped."""
    lift_capacity(of.model)
    network, batch = of.model.eval().network, next(iter(of.data.val_dataloader()))
    return count_batch(network, batch).flops_per_token


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
    """Train on one batch and yield the seconds of each step, losses and optimiser included.

    On the device and in the precision of the run.
    """
    model, trainer = of.model, of.trainer
    device = trainer.strategy.root_device
    trainer.precision_plugin.convert_module(model)
    [optimizer], _ = model.to(device).train().configure_optimizers()
    batch = model.transfer_batch_to_device(next(iter(of.data.val_dataloader())), device, 0)
    while True:
        started = time.perf_counter()
        with trainer.precision_plugin.forward_context():
            output = model.network(batch)
            losses = model.routing_losses(output.decisions)
            loss = task_loss(output, batch) + sum(losses.values())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        yield time.perf_counter() - started


# How many times the cost of a second model a first one has.
RELATIVE: dict[MatchedOn, Callable[[Measured, Measured], float]] = {
    "active_flops": lambda one, other: flops(one) / flops(other),
    "total_params": lambda one, other: parameters(one.model) / parameters(other.model),
    "step_time": times_as_long,
}
