"""The dense twin of a sparse model: the same model without mixtures, made equal in one cost.

Everything is held as it is but the width of the dense blocks, which is solved for.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from moebench.experiment import Experiment
from moebench.experiment.classes import named_class
from moebench.experiment.dense_twin.timing import seconds, times_as_long
from moebench.experiment.dense_twin.training_flops import Measured, flops, in_training
from moebench.models.contract import PLACE, DenseTwin
from moebench.papers.plan import EQUAL, MATCHED_COST, NAMES, MatchedOn
from moebench.training.cost import parameters
from moebench.training.module import WITHOUT_ROUTING

STEP = 16  # hidden widths are multiples of this: odd ones leave the fast matrix kernels

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
    start = _twin_of(experiment).hidden  # which refuses, before anything is measured
    mixture = in_training(experiment)
    planned = COSTS[matched_on](mixture)

    def ratio_of(width: int) -> float:
        model, _, trainer = dense(experiment, width).build(logger=False)
        made = Measured(model, trainer, mixture.batches)
        if matched_on == "step_time":
            return times_as_long(made, mixture)
        return COSTS[matched_on](made) / planned

    width, ratio = solve(ratio_of, 1.0, start)
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
    arguments, model = _twin_of(experiment).arguments(hidden), experiment.config["model"]
    network = {**model["network"], "init_args": arguments}
    # Of two points that differ in routing alone the twins are one.
    plain = {key: value for key, value in WITHOUT_ROUTING.items() if key in model}
    return replace(
        experiment, config={**experiment.config, "model": {**model, **plain, "network": network}}
    )


def _twin_of(experiment: Experiment) -> DenseTwin:
    """Return what the model of an experiment says of its dense twin."""
    network = experiment.config["model"].get("network") or {}
    name = network.get("class_path", "none")
    asked = getattr(named_class(name), "dense_twin", None)
    if asked is None:
        raise ValueError(f"model.network={name}: has no dense_twin, see {PLACE}, so no twin")
    found: DenseTwin | None = asked(network["init_args"])
    if found is None:
        raise ValueError(f"model.network={name}: has no mixture in this experiment, so no twin")
    return found


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
