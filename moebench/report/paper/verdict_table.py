"""Verdicts for a terminal: one row a claim, then what the arms cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moebench.papers.plan import NAMES
from moebench.report import tables as columns
from moebench.report.tables import wrapped
from moebench.verdict.marks import footnote, marked
from moebench.verdict.outcome import Verdict
from moebench.verdict.remarks import (
    BESIDE,
    Footnotes,
    beside,
    few_values_note,
    judged,
    printed_p,
    remarks,
    rest,
)

HEAD = ("claim", "verdict", "effect [95% interval]", "n", "p adj.", "statement")
COST_HEAD = ("arm", "runs", "failed", "parameters", "active", "FLOPs/token", "s/step")


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts, then what every arm cost, as text without a last line break."""
    ours, others = judged(verdicts), beside(verdicts)
    notes = Footnotes()
    parts = [
        _rows(ours, "p adj.", notes) if ours else [],
        [BESIDE, *_rows(others, "p", notes)] if others else [],
        wrapped(rest(verdicts)),
        list(_footnotes([*ours, *others], notes)),
        _costs(verdicts),
        wrapped(footnote(leaks for verdict in verdicts for leaks in verdict.leaks.values())),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def beginning(verdicts: Sequence[Verdict], rows: int, room: int) -> list[str]:
    """Return the first lines of `table`: as many rows, in a window as wide as `room`."""
    return _rows(judged(verdicts)[:rows], "p adj.", Footnotes(), room)


def _rows(
    verdicts: Sequence[Verdict], p: str, notes: Footnotes, room: int | None = None
) -> list[str]:
    """Return a table with a row a verdict, and its remarks below the statement."""
    head = [p if title == "p adj." else title for title in HEAD]
    return columns.table(head, [_cells(one, notes) for one in verdicts], "lllrr", room=room)


def _footnotes(verdicts: Sequence[Verdict], notes: Footnotes) -> Iterator[str]:
    """Yield what the marks in the rows mean, and what few values do."""
    if any(verdict.preliminary for verdict in verdicts):
        yield "* preliminary: on fewer runs than the claim asks for"
    yield from wrapped(few_values_note(verdicts))
    for line in notes.lines:
        yield from wrapped(line)


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


def _cells(verdict: Verdict, notes: Footnotes) -> tuple[str, ...]:
    """Return the row of a verdict; the last cell has a line for each thing that is said."""
    known = verdict.effect is not None
    p = printed_p(verdict)
    paper = [f"paper: {short(verdict.paper_values)}"] if verdict.paper_values else []
    told = "; ".join(remarks(verdict, notes))
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        verdict.verdict + ("*" if verdict.preliminary else ""),
        _effect(verdict) if known else "",
        str(verdict.n) if known else "",
        "" if p is None else _chance(p),
        "\n".join([verdict.says, *paper, *([told] if told else [])]),
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


def _costs(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a table with a row for every arm that has costs, in the order of the claims."""
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
    if not rows:
        return []
    return [*columns.table(COST_HEAD, list(rows.values()), "lrlrrrr"), *_off_plan(verdicts)]


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
