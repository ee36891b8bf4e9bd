"""A comparison of mixtures with dense models from Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from moebench import comparison
from moebench.api.frames import pair_frame, refusal_frame
from moebench.api.refusing import one_line
from moebench.papers import folder_of


@dataclass(frozen=True)
class Compared:
    """What was compared, and what was not.

    Args:
        comparison: all pairs with their intervals, by paper and profile.
        origin: where the runs came from, in words.
    """

    comparison: comparison.Comparison
    origin: str

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A row a pair, the greatest gain of a mixture first within a paper and profile."""
        return pair_frame(self.comparison)

    @cached_property
    def refused(self) -> pd.DataFrame:
        """A row an arm that was not compared with all, with the reason."""
        return refusal_frame(self.comparison)


@one_line()
def compare(
    target: str = "",
    profile: str = "",
    *,
    metric: str = "valid/loss",
    tags: Mapping[str, str] | None = None,
    since: str = "",
    until: str = "",
    records: str | Path | None = None,
    root: str | Path = "runs",
) -> Compared:
    """Compare mixtures with dense models of equal cost, seed by seed.

    Args:
        target: a name of `moebench list`, or `sweeps`; empty: all.
        profile: of a target, or the name of a sweep; empty: all.
        metric: less of it is better.
        tags: of the mixtures that are wanted.
        since: first day, as 2026-01-31 (UTC).
        until: last day.
        records: a results.jsonl or a folder of runs; None: MLflow, or `root` where there is none.
        root: folder of all runs.

    Raises:
        ValueError: where there are no such runs, or none has the metric.
    """
    wanted = comparison.wanted(folder_of(target), profile, since, until)
    place = None if records is None else Path(records)
    runs, origin = comparison.found_runs(Path(root), place, wanted)
    return Compared(comparison.compare(runs, metric, tags), origin)
