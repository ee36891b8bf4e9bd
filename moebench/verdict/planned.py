"""Measured costs against planned ones: what a mixture and its dense twin were to have in common."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from moebench.evidence.record import RunRecord
from moebench.papers.plan import EQUAL

TIME = "seconds_per_step"


def off_plan(arms: Mapping[str, Sequence[RunRecord]]) -> dict[str, dict[str, float]]:
    """Return arm -> cost -> how many times what was planned, where that is not equal any more.

    A time is held against that of the arms planned to take as long, on one kind of machine: the
    clock of a plan, which ran beside other work, is not that of a run.

    Args:
        arms: arm -> its runs that were trained.
    """
    found: dict[str, dict[str, float]] = {}
    for arm, runs in arms.items():
        ratios = {cost: _ratio(runs, cost) for cost in EQUAL if cost != TIME}
        ratios[TIME] = _time_ratio(arm, arms)
        found[arm] = {c: r for c, r in ratios.items() if r and abs(r - 1) > EQUAL[c]}
    return found


def _ratio(runs: Sequence[RunRecord], cost: str) -> float:
    """Return measured over planned, zero where there was no plan."""
    planned = [run for run in runs if run.planned.get(cost)]
    if not planned:
        return 0.0
    return fmean(getattr(run, cost) / run.planned[cost] for run in planned)


def _time_ratio(arm: str, arms: Mapping[str, Sequence[RunRecord]]) -> float:
    """Return the time of an arm over that of its equals, zero where that is not known."""
    plans = {run.planned[TIME] for run in arms[arm] if TIME in run.planned}
    ours = [run for run in arms[arm] if TIME in run.planned]
    theirs = [
        run
        for other, runs in arms.items()
        for run in runs
        if other != arm and run.planned.get(TIME) in plans
    ]
    machines = {tuple(sorted(run.hardware.items())) for run in ours + theirs}
    if not theirs or len(machines) > 1:
        return 0.0
    pace, equals = ([run.seconds_per_step for run in runs] for runs in (ours, theirs))
    return fmean(pace) / fmean(equals)
