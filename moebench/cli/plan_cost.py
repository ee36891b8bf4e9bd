"""What the runs of a profile take, told from earlier ones."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from moebench.evidence.record import RunRecord
from moebench.papers import Target
from moebench.papers.plan import Profile
from moebench.papers.settings import MAX_STEPS
from moebench.report.formatting import duration, plural
from moebench.report.tables import table, wrapped

LEAST = 0.01  # share of the time of all below which an arm has no row of its own


class ArmCost(NamedTuple):
    """What the runs of an arm, or of a sweep, take."""

    arm: str
    runs: int
    steps: int  # of each
    seconds: float  # of all


def cost_lines(found: Target, profile: Profile, earlier: Sequence[RunRecord]) -> list[str]:
    """Return a table of what takes long, and the time of all.

    Args:
        found: the paper.
        profile: whose runs are planned.
        earlier: runs of the paper, which tell how long a step takes.
    """
    trained = [run for run in earlier if run.status == "finished" and run.steps]
    costs = [
        *(_of_arm(found, profile, arm, trained) for arm in profile.arms),
        *(_of_sweep(name, trained) for name in profile.sweeps),
    ]
    known = [cost for cost in costs if cost is not None]
    total = sum(cost.seconds for cost in known)
    shown = [cost for cost in known if cost.seconds >= LEAST * total]
    rows = [(one.arm, str(one.runs), str(one.steps), duration(one.seconds)) for one in shown]
    lines = [*table(("arm", "runs", "steps", "time"), rows, "lrrr"), ""] if rows else []
    return lines + [
        line for told in _totals(costs, shown, total, trained) for line in wrapped(told)
    ]


def _of_arm(
    found: Target, profile: Profile, name: str, trained: Sequence[RunRecord]
) -> ArmCost | None:
    """Return what the runs of an arm take; None if no earlier run tells."""
    runs = [run for run in trained if run.arm == name]
    if not runs:
        return None
    own = {**found.plan.arm(name).settings, **profile.arm_settings.get(name, {})}
    asked = {**profile.settings, **own}.get(MAX_STEPS)
    steps = max(run.steps for run in runs) if asked is None else int(str(asked))
    pace = fmean(run.seconds / run.steps for run in runs)
    count = profile.seeds_of(name)
    return ArmCost(name, count, steps, count * steps * pace)


def _of_sweep(name: str, trained: Sequence[RunRecord]) -> ArmCost | None:
    """Return what the trials of a sweep have taken; None if no earlier run tells."""
    runs = [run for run in trained if run.arm.startswith(f"{name}/")]
    if not runs:
        return None
    return ArmCost(
        name, len(runs), max(run.steps for run in runs), sum(run.seconds for run in runs)
    )


def _totals(
    costs: Sequence[ArmCost | None],
    shown: Sequence[ArmCost],
    total: float,
    trained: Sequence[RunRecord],
) -> list[str]:
    """Return the sentences below the table."""
    known = [cost for cost in costs if cost is not None]
    runs = plural(sum(cost.runs for cost in known), "run")
    processors = sorted({str(run.hardware.get("processor", "")) for run in trained} - {""})
    where = f", as measured on {', '.join(processors)}" if processors else ""
    told = [f"In all {runs} and {duration(total)} of one worker{where}."]
    if rest := len(known) - len(shown):
        told.append(f"Arms that take less than {LEAST:.0%} of that have no row: {rest}.")
    if missing := len(costs) - len(known):
        told.append(f"Arms without a run so far are not counted: {missing}.")
    return told
