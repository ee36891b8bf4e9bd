"""Records, verdicts and tables as data frames; the only user of pandas."""

import io
from collections.abc import Iterable
from dataclasses import fields
from types import UnionType
from typing import Any, get_args

import pandas as pd

from moebench.comparison import Comparison
from moebench.evidence.record import RunRecord
from moebench.report.comparison.pair_sheet import pair_sheet
from moebench.report.sweep.summary import Summary
from moebench.verdict import Verdict


def record_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return a row a run: all fields that are numbers or text, then a column a metric.

    Points of curves, `valid/loss@<step>`, are left out, as are configuration, code and versions.
    """
    rows = []
    for record in records:
        ends = {name: value for name, value in record.metrics.items() if "@" not in name}
        rows.append({**_plain(record), **ends})
    return pd.DataFrame(rows, columns=None if rows else _names(RunRecord))


def verdict_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return a row a claim, by its key: all fields that are numbers or text."""
    rows = [{**_plain(verdict), "verdict": str(verdict.verdict)} for verdict in verdicts]
    return pd.DataFrame(rows, columns=_names(Verdict)).set_index("claim")


def pair_frame(comparison: Comparison) -> pd.DataFrame:
    """Return a row a pair of a mixture and a dense model, as `compare.csv` has it."""
    return pd.read_csv(io.StringIO(pair_sheet(comparison).csv()))


def refusal_frame(comparison: Comparison) -> pd.DataFrame:
    """Return a row an arm that was not compared with all, with the reason."""
    rows = [vars(refusal) for refusal in comparison.refusals]
    return pd.DataFrame(rows, columns=["target", "profile", "arm", "why"])


def trial_frame(summary: Summary) -> pd.DataFrame:
    """Return a row a trial, by its number: its point, its means over seeds, how it ended."""
    rows = [
        {"trial": trial.number, **trial.point, **trial.values, "status": trial.status}
        for trial in summary.trials
    ]
    return pd.DataFrame(rows, columns=None if rows else ["trial", "status"]).set_index("trial")


def fresh_frame(summary: Summary) -> pd.DataFrame:
    """Return a row each for the winner and the dense baselines, on seeds that chose nothing."""
    rows = [
        {name: value for name, value in row.items() if isinstance(value, _PLAIN | None)}
        for row in summary.fresh
    ]
    return pd.DataFrame(rows, columns=None if rows else ["arm", "n"])


_PLAIN = str | int | float


def _names(kind: type[RunRecord] | type[Verdict]) -> list[str]:
    """Return the fields of a kind that a cell can hold."""
    return [field.name for field in fields(kind) if _is_plain(field.type)]


def _plain(row: RunRecord | Verdict) -> dict[str, Any]:
    """Return the values of these fields."""
    return {name: getattr(row, name) for name in _names(type(row))}


def _is_plain(kind: Any) -> bool:
    """Say whether a cell can hold a value of a type."""
    if isinstance(kind, UnionType):
        return all(one is type(None) or _is_plain(one) for one in get_args(kind))
    return isinstance(kind, type) and issubclass(kind, _PLAIN)
