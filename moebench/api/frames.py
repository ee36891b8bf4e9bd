"""Records, verdicts and tables as data frames; the only file that uses pandas.

docs/python.md lists the columns of each.
"""

import io
from collections.abc import Iterable
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pandas as pd

from moebench.comparison import Comparison
from moebench.evidence.record import RunRecord
from moebench.report.comparison.pair_sheet import pair_sheet
from moebench.report.sweep.summary import Summary
from moebench.verdict import Verdict


def record_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row per run: all fields that are numbers or text, then one column per metric.

    Points of curves (`valid/loss@<step>`), configuration, code and versions are left out.
    """
    rows = []
    for record in records:
        ends = {name: value for name, value in record.metrics.items() if "@" not in name}
        rows.append({**_plain(record), **ends})
    return pd.DataFrame(rows, columns=None if rows else _names(RunRecord))


def verdict_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return one row per claim, indexed by its id: all fields that are numbers or text."""
    rows = [{**_plain(verdict), "verdict": str(verdict.verdict)} for verdict in verdicts]
    return pd.DataFrame(rows, columns=_names(Verdict)).set_index("claim")


def pair_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per pair of a mixture and a dense model, the same as in `compare.csv`."""
    return pd.read_csv(io.StringIO(pair_sheet(comparison).csv()))


def refusal_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per arm that was left out of a comparison, with the reason."""
    rows = [vars(refusal) for refusal in comparison.refusals]
    return pd.DataFrame(rows, columns=["target", "profile", "arm", "why"])


def trial_frame(summary: Summary) -> pd.DataFrame:
    """Return one row per trial, by number: its point, its means over seeds, how it ended."""
    rows = [
        {"trial": trial.number, **trial.point, **trial.values, "status": trial.status}
        for trial in summary.trials
    ]
    return pd.DataFrame(rows, columns=None if rows else ["trial", "status"]).set_index("trial")


def fresh_frame(summary: Summary) -> pd.DataFrame:
    """Return one row each for the winner and the dense baselines, run again with fresh seeds."""
    rows = [
        {name: value for name, value in row.items() if isinstance(value, _PLAIN | None)}
        | row.get("costs", {})
        for row in summary.fresh
    ]
    return pd.DataFrame(rows, columns=None if rows else ["arm", "n"])


_PLAIN = str | int | float


def _names(kind: type[RunRecord] | type[Verdict]) -> list[str]:
    """Return the fields whose values fit into a cell."""
    return [field.name for field in fields(kind) if _is_plain(field.type)]


def _plain(row: RunRecord | Verdict) -> dict[str, Any]:
    """Return the values of these fields."""
    return {name: getattr(row, name) for name in _names(type(row))}


def _is_plain(kind: Any) -> bool:
    """Say whether values of a type fit into a cell."""
    if get_origin(kind) in (Union, UnionType):
        return all(one is type(None) or _is_plain(one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return True
    return isinstance(kind, type) and issubclass(kind, _PLAIN)
