"""Verdicts as plain text for a terminal of 120 columns: one row a claim, then the costs."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from moebench.plan import NAMES
from moebench.verdict.marks import footnote, marked
from moebench.verdict.outcome import Verdict
from moebench.verdict.remarks import Footnotes, beside, chance, judged, of_few, remarks, rest

HEAD = ("claim", "verdict", "effect [95% interval]", "n", "p adj.", "paper", "statement")
WIDTHS = (9, 17, 26, 3, 6, 20, 27)
WIDTH = sum(WIDTHS) + 2 * (len(WIDTHS) - 1)  # of a line: 120
COST_HEAD = ("arm", "runs", "failed", "parameters", "active", "FLOPs/token", "s/step")
BESIDE = "Controls, and what this project added: no statements of the paper, p not adjusted"


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts, then what every arm cost, as text without a last line break."""
    ours, others = judged(verdicts), beside(verdicts)
    notes = Footnotes()
    lines = _rows(ours, "p adj.", notes) if ours else []
    if others:
        lines += ["", BESIDE, *_rows(others, "p", notes)]
    if left := rest(verdicts):
        lines += ["", *textwrap.wrap(left, WIDTH)]
    if told := list(_footnotes([*ours, *others], notes)):
        lines += ["", *told]
    if costs := _cost_rows(verdicts):
        columns = zip(COST_HEAD, *costs, strict=True)
        widths = [max(map(len, column)) for column in columns]
        rows = [COST_HEAD, tuple("-" * width for width in widths), *costs]
        lines += ["", *(line for row in rows for line in _row(row, widths)), *_off_plan(verdicts)]
    if note := footnote(leaks for verdict in verdicts for leaks in verdict.leaks.values()):
        lines += ["", *textwrap.wrap(note, WIDTH)]
    return "\n".join(lines).strip("\n")


def _rows(verdicts: Sequence[Verdict], p: str, notes: Footnotes) -> list[str]:
    """Return the lines of a head and a row a verdict, each with its remarks below."""
    head = (*HEAD[:4], p, *HEAD[5:])
    rows = [head, tuple("-" * width for width in WIDTHS)]
    lines = [line for row in rows for line in _row(row, WIDTHS)]
    indent = " " * (WIDTHS[0] + 2)
    for verdict in verdicts:
        lines += _row(_cells(verdict), WIDTHS)
        told = "; ".join(remarks(verdict, notes))
        lines += textwrap.wrap(told, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return lines


def _footnotes(verdicts: Sequence[Verdict], notes: Footnotes) -> Iterator[str]:
    """Yield what the marks in the rows mean, and what few values do."""
    if any(verdict.preliminary for verdict in verdicts):
        yield "* preliminary: on fewer runs than the claim asks for"
    yield from textwrap.wrap(of_few(verdicts), WIDTH)
    for line in notes.lines:
        yield from textwrap.wrap(line, WIDTH)


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
    known = verdict.effect is not None
    p = chance(verdict)
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        verdict.verdict + ("*" if verdict.preliminary else ""),
        _effect(verdict) if known else "",
        str(verdict.n) if known else "",
        "" if p is None else _chance(p),
        short(verdict.paper_values),
        verdict.says,
    )


def _chance(p: float) -> str:
    """Return a p value, to three places."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _effect(verdict: Verdict) -> str:
    """Return effect, interval and unit."""
    effect = f"{verdict.effect:.3g}"
    if verdict.low == verdict.high:  # exact, or nothing is known
        return f"{effect} {verdict.unit}"
    low = "-inf" if verdict.low is None else f"{verdict.low:.3g}"
    high = "inf" if verdict.high is None else f"{verdict.high:.3g}"
    return f"{effect} [{low}, {high}] {verdict.unit}"


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
