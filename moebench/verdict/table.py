"""Verdicts as plain text for a terminal of 120 columns: one row a claim, then the costs."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from moebench.plan import NAMES
from moebench.verdict.marks import footnote, marked
from moebench.verdict.outcome import Verdict

HEAD = ("claim", "verdict", "effect [95% interval]", "n", "p adj.", "paper", "statement")
WIDTHS = (9, 13, 26, 3, 6, 22, 29)
WIDTH = sum(WIDTHS) + 2 * (len(WIDTHS) - 1)  # of a line: 120
COST_HEAD = ("arm", "runs", "failed", "parameters", "active", "FLOPs/token", "s/step")


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts, then what every arm cost, as text without a last line break."""
    rows = [HEAD, tuple("-" * width for width in WIDTHS), *map(_cells, verdicts)]
    lines = [line for row in rows for line in _row(row, WIDTHS)]
    if any(verdict.preliminary for verdict in verdicts):
        lines.append("* preliminary: on fewer seeds than the claim asks for")
    costs = _cost_rows(verdicts)
    if costs:
        columns = zip(COST_HEAD, *costs, strict=True)
        widths = [max(map(len, column)) for column in columns]
        rows = [COST_HEAD, tuple("-" * width for width in widths), *costs]
        lines += ["", *(line for row in rows for line in _row(row, widths)), *_off_plan(verdicts)]
    if note := footnote(leaks for verdict in verdicts for leaks in verdict.leaks.values()):
        lines += ["", *textwrap.wrap(note, WIDTH)]
    return "\n".join(lines)


def short(values: Mapping[str, Any]) -> str:
    """Return a paper's figures in one line: `name: value, name: value, ...`."""
    return ", ".join(f"{name}: {_figure(value)}" for name, value in values.items())


def _figure(value: Any) -> str:
    """Return one figure, or a list or map of them, in short."""
    if isinstance(value, Mapping):
        return f"({short(value)})"
    if isinstance(value, list | tuple):
        return "/".join(_figure(entry) for entry in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    """Return the row of a verdict."""
    judged = verdict.effect is not None
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        verdict.verdict + ("*" if verdict.preliminary else ""),
        _effect(verdict) if judged else "",
        str(verdict.n) if judged else "",
        "" if verdict.p_adjusted is None else _chance(verdict.p_adjusted),
        short(verdict.paper_values),
        verdict.says,
    )


def _chance(p: float) -> str:
    """Return a p value, to three places."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _effect(verdict: Verdict) -> str:
    """Return effect, interval and unit."""
    effect = f"{verdict.effect:.3g}"
    if verdict.low is None or verdict.high is None:
        return f"{effect} {verdict.unit}"
    if verdict.low == verdict.high:
        return f"{effect} {verdict.unit}"
    return f"{effect} [{verdict.low:.3g}, {verdict.high:.3g}] {verdict.unit}"


def _cost_rows(verdicts: Sequence[Verdict]) -> list[tuple[str, ...]]:
    """Return a row for every arm that has costs, in the order in which claims name them."""
    rows: dict[str, tuple[str, ...]] = {}
    for verdict in verdicts:
        for arm, costs in verdict.costs.items():
            if costs and arm not in rows:
                counts = verdict.measured[arm]["failed"].items()
                failed = ", ".join(f"{count} {what}" for what, count in counts)
                figures = (f"{costs['params_total']:.3g}", f"{costs['params_active']:.3g}")
                speed = (f"{costs['flops_per_token']:.3g}", f"{costs['seconds_per_step']:.3g}")
                name = marked(arm, verdict.leaks.get(arm, ""))
                rows[arm] = (name, str(costs["runs"]), failed, *figures, *speed)
    return list(rows.values())


def _off_plan(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for every cost of an arm that is not what a twin was made equal in."""
    found = {
        f"! {arm}: {name} x{costs[f'{cost}/planned']:.3g} of what was planned"
        for verdict in verdicts
        for arm, costs in verdict.costs.items()
        for cost, name in NAMES.items()
        if f"{cost}/planned" in costs
    }
    return sorted(found)


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the lines of a row, each cell wrapped in its column."""
    columns = [textwrap.wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return [
        "  ".join(f"{part:{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*columns, fillvalue="")
    ]
