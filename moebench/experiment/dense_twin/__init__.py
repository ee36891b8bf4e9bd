"""The dense twin of a sparse model: the same model without mixtures, with one cost made equal.

Only the width of the dense blocks changes; it is solved for.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from moebench.experiment import Experiment
from moebench.experiment.classes import named_class
from moebench.experiment.dense_twin.timing import seconds_per_step, step_time_ratio
from moebench.experiment.dense_twin.training_flops import (
    TrainingSetup,
    flops_per_token,
    training_setup,
)
from moebench.models.contract import CONTRACT, DenseTwin
from moebench.papers.plan import EQUAL, MATCHED_COST, NAMES, MatchedOn
from moebench.training.cost import parameters
from moebench.training.module import WITHOUT_ROUTING

STEP = 16  # hidden widths are multiples of this: odd ones leave the fast matrix kernels

log = logging.getLogger(__name__)


class Twin(NamedTuple):
    """The dense twin of an experiment, and the cost that the two share."""

    experiment: Experiment
    width: int  # hidden features of its dense blocks
    planned: Mapping[str, float]  # that cost of the mixture, by its name in a record
    ratio: float  # the twin's cost over the mixture's


def twin(experiment: Experiment, matched_on: MatchedOn) -> Twin:
    """Return the dense twin of `experiment` whose cost comes nearest to the mixture's.

    FLOPs are those of training batches, counted as if no row were dropped, so that the twin does
    not depend on how well an untrained router happens to spread the tokens; time is measured with
    drops. The data must have been prepared. A warning says so if the costs are not equal.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    start = _twin_of(experiment).hidden  # first, because it may refuse and measuring takes time
    mixture = training_setup(experiment)
    planned = COSTS[matched_on](mixture)

    def ratio_of(width: int) -> float:
        model, _, trainer = dense(experiment, width).build(logger=False)
        made = TrainingSetup(model, trainer, mixture.batches)
        if matched_on == "step_time":
            return step_time_ratio(made, mixture)
        return COSTS[matched_on](made) / planned

    width, ratio = solve(ratio_of, 1.0, start)
    cost = MATCHED_COST[matched_on]
    if abs(ratio - 1) > EQUAL[cost]:
        log.warning(
            "dense twin: %s x%.3f of the mixture's, not equal; hidden=%d is the nearest width"
            " (a multiple of %d)",
            *(NAMES[cost], ratio, width, STEP),
        )
    return Twin(dense(experiment, width), width, {cost: planned}, ratio)


def dense(experiment: Experiment, hidden: int) -> Experiment:
    """Return the experiment without its mixtures, with dense blocks of width `hidden`.

    Settings of routing alone are removed, too: losses on decisions, the routers' learning rate.

    Raises:
        ValueError: if the experiment has no mixture that a dense block can replace.
    """
    arguments, model = _twin_of(experiment).arguments(hidden), experiment.config["model"]
    network = {**model["network"], "init_args": arguments}
    # So experiments that differ only in routing share a twin.
    plain = {key: value for key, value in WITHOUT_ROUTING.items() if key in model}
    return replace(
        experiment, config={**experiment.config, "model": {**model, **plain, "network": network}}
    )


def _twin_of(experiment: Experiment) -> DenseTwin:
    """Return the dense twin that the model of an experiment declares."""
    network = experiment.config["model"].get("network") or {}
    name = network.get("class_path", "none")
    declared = getattr(named_class(name), "dense_twin", None)
    if declared is None:
        raise ValueError(f"model.network={name}: has no dense_twin, see {CONTRACT}")
    found: DenseTwin | None = declared(network["init_args"])
    if found is None:
        raise ValueError(f"model.network={name}: has no mixture here, so it has no dense twin")
    return found


def solve(cost_of: Callable[[int], float], target: float, start: int) -> tuple[int, float]:
    """Return the width, a multiple of 16, whose cost is nearest to `target`, and that cost.

    Costs are linear in the width, measured time nearly so: the line through two widths gives a
    third, and the nearest of the three is returned.
    """
    first = max(STEP, round(start / STEP) * STEP)
    known = {width: cost_of(width) for width in (first, 2 * first)}
    slope = (known[2 * first] - known[first]) / first
    if slope > 0:  # noise in measured time may hide it
        width = max(STEP, round((first + (target - known[first]) / slope) / STEP) * STEP)
        if width not in known:
            known[width] = cost_of(width)
    return min(known.items(), key=lambda item: abs(item[1] - target))


COSTS: dict[MatchedOn, Callable[[TrainingSetup], float]] = {
    "active_flops": flops_per_token,
    "total_params": lambda measured: parameters(measured.model),
    "step_time": seconds_per_step,
}
