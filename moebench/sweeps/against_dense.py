"""The winner of a sweep against every dense baseline, paired by seeds not used in the search."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from moebench.comparison import Pair, Side
from moebench.evidence.record import SWEEPS, RunRecord
from moebench.statistics import Interval
from moebench.statistics.estimates import mean
from moebench.sweeps.arms import Arm, TrialArm
from moebench.sweeps.definition import Sweep
from moebench.sweeps.objective_values import value_of


def against_dense(
    sweep: Sweep, records: Sequence[RunRecord], arms: Sequence[Arm]
) -> list[dict[str, Any]]:
    """Return what the winner gains over each dense baseline, as plain JSON data.

    Args:
        sweep: the sweep.
        records: all its runs.
        arms: the winner, then the baselines, if they have fresh seeds.
    """
    objective = next(iter(sweep.objectives))
    sides = [_side(arm.name, sweep, records) for arm in arms]
    if not sides or not isinstance(arms[0], TrialArm):
        return []
    winner, *dense = sides
    found = []
    for other in dense:
        pair = Pair(SWEEPS, sweep.name, winner, other)
        gaps = _gaps(winner, other, pair.seeds, objective)
        if gaps:
            found.append(
                {
                    "dense": other.arm,
                    "difference": _plain(mean(np.array(gaps)).interval),
                    "at_equal_time": _plain(pair.difference_at_equal_time),
                    "ratios": pair.ratios,
                }
            )
    return found


def _side(arm: str, sweep: Sweep, records: Sequence[RunRecord]) -> Side:
    """Return the finished runs of an arm with fresh seeds."""
    runs = {
        one.seed: one
        for one in records
        if one.arm == arm and one.seed in sweep.later_seeds and one.status == "finished"
    }
    return Side(arm, next(iter(sweep.objectives)), runs, {})


def _gaps(winner: Side, dense: Side, seeds: Sequence[int], objective: str) -> list[float]:
    """Return the winner's objective minus the baseline's, one per seed."""
    return [
        value_of(winner.runs[seed], objective) - value_of(dense.runs[seed], objective)
        for seed in seeds
    ]


def _plain(found: Interval) -> list[float | None]:
    """Return estimate, low, high and n; None for unknown values."""
    ends = (found.low, found.high) if found.n > 1 else (None, None)
    return [found.estimate if found.n else None, *ends, found.n]
