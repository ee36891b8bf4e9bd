"""The dense twin of a sparse model: the same model without mixtures, made equal in one cost.

Everything is held as it is but the width of the dense blocks, which is solved for.
"""

import copy
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from torch import nn

from moebench.baselines.timing import seconds, times_as_long
from moebench.baselines.work import Measured, flops, in_training
from moebench.cost import parameters
from moebench.experiment import Experiment
from moebench.models.lstm_moe_2017 import SigmoidMixture, SingleExpert
from moebench.moe.capacity import Capacity, Limited
from moebench.plan import EQUAL, MATCHED_COST, NAMES, MatchedOn

STEP = 16  # hidden widths are multiples of this: odd ones leave the fast matrix kernels
FIRST_WIDTH = 256  # tried first where a model names no width
WITHOUT = {"losses": None, "router_rate": 1.0}  # of a model that routes nothing

log = logging.getLogger(__name__)


class Twin(NamedTuple):
    """The dense twin of an experiment, and what it was made equal in."""

    experiment: Experiment
    width: int  # hidden features of its dense blocks
    planned: Mapping[str, float]  # the cost to be equal, by its name in a record: the mixture's
    ratio: float  # times that cost that the twin has


def twin(experiment: Experiment, matched_on: MatchedOn) -> Twin:
    """Return the dense twin of `experiment`, equal in the cost named, to the nearest width.

    FLOPs are those of training batches, counted as if no row were dropped, so that the twin does
    not depend on how well an untrained router happens to spread the tokens; time is that of the
    mixture as it is. The data must have been prepared. A twin that is not equal is warned of.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    dense(experiment, FIRST_WIDTH)  # which refuses, before anything is measured
    mixture = in_training(experiment)
    planned = COSTS[matched_on](mixture)

    def ratio_of(width: int) -> float:
        model, _, trainer = dense(experiment, width).build(logger=False)
        made = Measured(model, trainer, mixture.batches)
        if matched_on == "step_time":
            return times_as_long(made, mixture)
        return COSTS[matched_on](made) / planned

    shape = experiment.config["model"]["network"]["init_args"]["shape"]
    width, ratio = solve(ratio_of, 1.0, shape.get("hidden", FIRST_WIDTH))
    cost = MATCHED_COST[matched_on]
    if abs(ratio - 1) > EQUAL[cost]:
        log.warning(
            "dense twin: %s x%.3f of the mixture's, not equal; hidden=%d is the nearest width"
            " (multiples of %d)",
            *(NAMES[cost], ratio, width, STEP),
        )
    return Twin(dense(experiment, width), width, {cost: planned}, ratio)


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
    return replace(experiment, config=config)


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


def solve(cost_of: Callable[[int], float], target: float, start: int) -> tuple[int, float]:
    """Return the width, a multiple of 16, whose cost is nearest to `target`, and that cost.

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
    return min(known.items(), key=lambda one: abs(one[1] - target))


COSTS: dict[MatchedOn, Callable[[Measured], float]] = {
    "active_flops": flops,
    "total_params": lambda of: parameters(of.model),
    "step_time": seconds,
}
