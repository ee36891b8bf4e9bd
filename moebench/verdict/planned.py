"""Measured costs against planned ones: those a mixture and its dense twin were to share."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from moebench.evidence.record import RunRecord
from moebench.papers.plan import EQUAL
from moebench.verdict.machines import machines_of

TIME = "seconds_per_step"


def off_plan(arms: Mapping[str, Sequence[RunRecord]]) -> dict[str, dict[str, float]]:
    """Return arm -> cost -> measured over planned, for costs that are no longer equal.

    A time is compared with the arms planned to take equally long, on the same kind of machine: the
    planned time itself was measured under other conditions than the runs.

    Args:
        arms: arm -> its trained runs.
    """
    found: dict[str, dict[str, float]] = {}
    for arm, runs in arms.items():
        ratios = {cost: _ratio(runs, cost) for cost in EQUAL if cost != TIME}
        ratios[TIME] = _time_ratio(arm, arms)
        found[arm] = {c: r for c, r in ratios.items() if r and abs(r - 1) > EQUAL[c]}
    return found


def _ratio(runs: Sequence[RunRecord], cost: str) -> float:
    """Return measured over planned; zero without a plan."""
    planned = [run for run in runs if run.planned.get(cost)]
    if not planned:
        return 0.0
    return fmean(getattr(run, cost) / run.planned[cost] for run in planned)


def _time_ratio(arm: str, arms: Mapping[str, Sequence[RunRecord]]) -> float:
    """Return the time of an arm over that of its equals; zero if it cannot be compared."""
    plans = {run.planned[TIME] for run in arms[arm] if TIME in run.planned}
    ours = [run for run in arms[arm] if TIME in run.planned]
    theirs = [
        run
        for other, runs in arms.items()
        for run in runs
        if other != arm and run.planned.get(TIME) in plans
    ]
    if not theirs or len(machines_of(ours + theirs)) > 1:
        return 0.0
    pace, equals = ([run.seconds_per_step for run in runs] for runs in (ours, theirs))
    return fmean(pace) / fmean(equals)
