"""Load over training: the few points of it that a record keeps, `route/max_over_mean@<step>`.

The history has the load of every expert, but stays where the run was made.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from moebench.evidence.record import RunRecord

BUSIEST = "route/max_over_mean"  # load of the busiest expert over the mean; one when even
PARTS = 10  # of training, each with a point: the mean over it, at its last step


def load_points(trained: Iterable[Mapping[str, Any]], steps: int) -> dict[str, float]:
    """Return the points by name; a part in which nothing was logged has none.

    Args:
        trained: lines of the history of a run, one a logged training step.
        steps: how many it took.
    """
    parts: dict[int, list[float]] = defaultdict(list)
    for line in trained:
        done = line["step"] + 1
        if BUSIEST in line and done <= steps:
            parts[_part(done, steps)].append(line[BUSIEST])
    return {f"{BUSIEST}@{part * steps // PARTS}": fmean(parts[part]) for part in sorted(parts)}


def load_curve(record: RunRecord) -> dict[int, float]:
    """Return part of training, from 1 to `PARTS`, -> the mean over it; empty for older records."""
    points = {name.partition("@"): value for name, value in record.metrics.items() if "@" in name}
    return {
        _part(int(step), record.steps): value
        for (name, _, step), value in points.items()
        if name == BUSIEST
    }


def _part(done: int, steps: int) -> int:
    """Return the part of training, from 1 on, to which a step belongs."""
    return -(-PARTS * done // steps)
