"""What every arm cost: means over its finished runs, one row an arm, or all points of a search."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from moebench.records import RunRecord
from moebench.report.runs import search_of
from moebench.report.wording import digits, memory, scaled


@dataclass(frozen=True)
class Cost:
    """A column of the cost table."""

    title: str
    of: Callable[[RunRecord], float]
    text: Callable[[float], str]


COSTS = (
    Cost("total parameters", lambda record: record.params_total, scaled),
    Cost("active parameters", lambda record: record.params_active, scaled),
    Cost("FLOPs a token", lambda record: record.flops_per_token, scaled),
    Cost("seconds a step", lambda record: record.seconds_per_step, digits),
    Cost("tokens a second", lambda record: record.tokens_per_second, scaled),
    Cost("peak memory", lambda record: record.peak_memory_bytes, memory),
)
HEAD = ("arm", "runs", *(cost.title for cost in COSTS))


def cost_rows(records: Iterable[RunRecord]) -> list[tuple[str, ...]]:
    """Return the cells of every arm that finished a training, in the order of the records.

    Arms that were computed, not trained, cost nothing and have no row. The points of a search over
    several names share a row: there are many, and no claim names one.
    """
    arms: dict[str, list[RunRecord]] = {}
    for record in records:
        if record.status == "finished" and record.steps:
            search = search_of(record.arm)
            arms.setdefault(f"{search}, all points" if search else record.arm, []).append(record)
    return [
        (arm, str(len(runs)), *(cost.text(_mean(map(cost.of, runs))) for cost in COSTS))
        for arm, runs in arms.items()
    ]


def _mean(values: Iterable[float]) -> float:
    """Return the mean of at least one value."""
    listed = list(values)
    return sum(listed) / len(listed)
