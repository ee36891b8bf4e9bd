"""What a sweep minimizes or maximizes: values of records, and their means over seeds."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real

from moebench.evidence.record import RunRecord
from moebench.papers.nearest import nearest


def mean_values(records: Sequence[RunRecord], objectives: Sequence[str]) -> list[float]:
    """Return the mean of every objective over the records.

    Raises:
        ValueError: if a record lacks an objective; names it.
    """
    return [
        math.fsum(value_of(record, objective) for record in records) / len(records)
        for objective in objectives
    ]


def value_of(record: RunRecord, objective: str, key: str = "objectives") -> float:
    """Return a metric of a record, or a numeric field such as `seconds_per_step`.

    Args:
        record: the record.
        objective: name of the metric or field.
        key: of the sweep file that names it.

    Raises:
        ValueError: if it has neither; lists what it has.
    """
    if objective in record.metrics:
        return record.metrics[objective]
    value = getattr(record, objective, None)
    if isinstance(value, Real) and not isinstance(value, bool) and objective != "seed":
        return float(value)
    raise ValueError(
        f"{key}.{objective}: no run logs it; {nearest(objective, known_objectives(record))}"
    )


def known_objectives(record: RunRecord) -> list[str]:
    """Return the names of all values that a record like this one offers as objectives."""
    metrics: Mapping[str, float] = record.metrics
    costs = ("seconds_per_step", "peak_memory_bytes", "flops_per_token", "params_total")
    return [*(name for name in metrics if "@" not in name), *costs]
