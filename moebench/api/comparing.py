"""Comparing mixtures with dense models from Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from moebench import comparison
from moebench.api.frames import pair_frame, refusal_frame
from moebench.api.refusing import checking, one_line, root_of
from moebench.papers import folder_of


@dataclass(frozen=True)
class Compared:
    """The result of `moebench.compare`.

    Args:
        comparison: all pairs with their intervals, by paper and profile.
        origin: a sentence on where the runs came from.
    """

    comparison: comparison.Comparison
    origin: str

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """One row for each mixture and dense model of equal cost, the largest gain first.

        `mixture`, `dense`, `equal_in` and `n` (seeds) say who was compared; `difference` (after
        equal training), `difference_at_equal_time`, `steps_ratio` and `time_ratio` say how it
        ended, each with the ends of its 95% interval in `<name>_low` and `<name>_high`. Negative
        differences favour the mixture. docs/python.md lists all columns.
        """
        return pair_frame(self.comparison)

    @cached_property
    def refused(self) -> pd.DataFrame:
        """One row for each arm that was left out of a comparison: `target`, `arm`, `why`, ..."""
        return refusal_frame(self.comparison)


@checking
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
    """Compare mixtures with dense models of equal cost, seed by seed; trains nothing.

    Args:
        target: whose runs to compare: a paper, by its name in `moebench list`, or `sweeps`; by
            default all.
        profile: of a paper, or the name of a sweep; by default all.
        metric: to compare; lower must be better.
        tags: that the mixtures must have, such as `{"best": "true"}` for the winners of sweeps.
        since: the first day of the runs, such as "2026-01-31" (UTC).
        until: the last day.
        records: a `results.jsonl` or a folder of runs to read; by default MLflow is read, or the
            folder `root` if MLflow has not been used.
        root: folder of all runs.

    Returns:
        The pairs of equal cost, and the arms that were left out, as data frames.

    Raises:
        ValueError: if there are no such runs, or none of them has the metric.

    Example:
        compared = moebench.compare("switch", records="runs")
        compared.pairs[["mixture", "dense", "equal_in", "difference"]]
        compared.refused[["arm", "why"]]
    """
    wanted = comparison.wanted(folder_of(target), profile, since, until)
    place = None if records is None else Path(records)
    runs, origin = comparison.found_runs(root_of(root), place, wanted)
    return Compared(comparison.compare(runs, metric, tags), origin)
