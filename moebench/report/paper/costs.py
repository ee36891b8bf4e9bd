"""What every arm cost: means over its finished runs, one row an arm, or all points of a search."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from moebench.evidence.record import RunRecord
from moebench.report.formatting import digits, memory, scaled
from moebench.report.paper.runs import search_of
from moebench.verdict.marks import leaks_of, marked
from moebench.verdict.mixed_evidence import mixed_arm
from moebench.verdict.planned import off_plan


@dataclass(frozen=True)
class Cost:
    """A column of the cost table; `name` is that of a record."""

    name: str
    title: str
    text: Callable[[float], str]


COSTS = (
    Cost("params_total", "total parameters", scaled),
    Cost("params_active", "active parameters", scaled),
    Cost("flops_per_token", "FLOPs a token", scaled),
    Cost("seconds_per_step", "seconds a step", digits),
    Cost("tokens_per_second", "tokens a second", scaled),
    Cost("peak_memory_bytes", "peak memory", memory),
)
HEAD = ("arm", "runs", *(cost.title for cost in COSTS))
NO_COSTS = (
    "None: costs are those of trained arms, of which none finished; what a function takes is not "
    "counted."
)


def cost_rows(records: Iterable[RunRecord]) -> list[tuple[str, ...]]:
    """Return the cells of every arm that finished a training, in the order of the records.

    Arms that were computed, not trained, have no row. The points of a search over several names
    share one: there are many, and no claim names any of them. A cell says so where a cost differs
    from what was planned to be equal in mixture and dense twin. Runs that must not be mixed have no
    mean.
    """
    arms: dict[str, list[RunRecord]] = {}
    for record in records:
        if record.status == "finished" and record.steps:
            search = search_of(record.arm)
            arms.setdefault(f"{search}, all points" if search else record.arm, []).append(record)
    off = off_plan(arms)
    return [_row(arm, runs, off[arm]) for arm, runs in arms.items()]


def _row(arm: str, runs: list[RunRecord], off: Mapping[str, float]) -> tuple[str, ...]:
    """Return the cells of runs that share a row; `off` has the costs that are not as planned."""
    one_arm = len({run.arm for run in runs}) == 1
    if one_arm and (why := mixed_arm(runs)):
        return (f"{arm} (mixed: {why})", str(len(runs)), *("–" for _ in COSTS))
    cells = (_cell(cost, runs, off.get(cost.name)) for cost in COSTS)
    return (marked(arm, leaks_of(runs)), str(len(runs)), *cells)


def _cell(cost: Cost, runs: Iterable[RunRecord], times_planned: float | None) -> str:
    """Return the mean, and how many times the plan it is where it is not equal."""
    return flagged(cost.text(_mean(getattr(run, cost.name) for run in runs)), times_planned)


def flagged(text: str, times_planned: float | None) -> str:
    """Return a cost, and how many times the plan it is where that is known."""
    return text if times_planned is None else f"{text} (×{times_planned:.3g} of plan)"


def _mean(values: Iterable[float]) -> float:
    """Return the mean of at least one value."""
    listed = list(values)
    return sum(listed) / len(listed)
