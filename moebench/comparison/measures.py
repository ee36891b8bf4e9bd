"""What runs are compared by: metrics and numeric fields of records, and their means."""

import math
from collections.abc import Sequence
from numbers import Real

from moebench.evidence.record import RunRecord
from moebench.papers.nearest import nearest

FIELDS = ("seconds_per_step", "peak_memory_bytes", "flops_per_token", "params_total")


def mean_values(records: Sequence[RunRecord], names: Sequence[str]) -> list[float]:
    """Return the mean of every value over the records.

    Raises:
        ValueError: if a record lacks one; names it.
    """
    return [
        math.fsum(value_of(record, name) for record in records) / len(records) for name in names
    ]


def value_of(record: RunRecord, name: str, key: str = "objectives") -> float:
    """Return a metric of a record, or a numeric field such as `seconds_per_step`.

    Args:
        record: the record.
        name: of the metric or field.
        key: under which a person has named it.

    Raises:
        ValueError: if it has neither; lists what it has.
    """
    if name in record.metrics:
        return record.metrics[name]
    value = getattr(record, name, None)
    if isinstance(value, Real) and not isinstance(value, bool) and name != "seed":
        return float(value)
    known = [*(metric for metric in record.metrics if "@" not in metric), *FIELDS]
    raise ValueError(f"{key}.{name}: no run logs it; {nearest(name, known)}")
