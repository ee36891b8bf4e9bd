"""Disputes between papers for readers: who says what, and when each side is right.

The sentences are generated from the verdicts. Page, README, terminal and listing share them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moebench.papers.dispute import Dispute, Side
from moebench.report import formatting
from moebench.report.paper.markdown import escaped, table
from moebench.report.tables import wrapped
from moebench.verdict import Verdict
from moebench.verdict.sides import Cell, cells

HEAD = ("value", "right", "claim", "verdict", "effect [95% interval]")
UNDECIDED, NOT_JUDGED = "undecided", "not judged yet"


@dataclass(frozen=True)
class Told:
    """A dispute as it is shown."""

    question: str
    when: str  # the sentence on when each side is right
    sides: Sequence[str]
    hinge: str
    rows: Sequence[Sequence[str]]  # under HEAD, one a value of the hinge


def told(disputes: Iterable[Dispute], verdicts: Sequence[Verdict]) -> list[Told]:
    """Return the disputes in words, by the verdicts on the claims of their folder."""
    found = []
    for dispute in disputes:
        by_value = cells(dispute, verdicts)
        found.append(
            Told(
                dispute.question,
                when(dispute, by_value),
                [said(side) for side in dispute.sides],
                dispute.hinge,
                [_row(dispute, cell) for cell in by_value],
            )
        )
    return found


def said(side: Side) -> str:
    """Return what a side says, who says it, and what bears on it here."""
    here = f" (bearing on it here: {', '.join(side.claims)})" if side.claims else ""
    return f"{_capital(side.says)}: {side.source}{here}"


def when(dispute: Dispute, by_value: Sequence[Cell]) -> str:
    """Return the sentence on when each side is right: `At this scale hashing is ... at ...; ...`.

    Values that rest on fewer seeds than their claim asks for are marked as preliminary.
    """
    values: Mapping[str, list[str]] = {name: [] for name in _places(dispute)}
    for cell in by_value:
        mark = " (preliminary)" if cell.verdict.preliminary and cell.side is not None else ""
        values[_place(dispute, cell)].append(cell.value + mark)
    if not any(cell.judged for cell in by_value):
        return f"{_capital(NOT_JUDGED)}."
    parts = [f"{place} {formatting.listed(where)}" for place, where in values.items() if where]
    return f"At this scale {'; '.join(parts)}."


def markdown_disputes(disputes: Sequence[Dispute], verdicts: Sequence[Verdict]) -> str:
    """Return the disputes as Markdown, each with a table of the values of its hinge."""
    return "\n\n".join(
        "\n".join(
            [
                f"**{escaped(one.question)}** {escaped(one.when)}",
                "",
                *(f"* {escaped(side)}" for side in one.sides),
                f"* The probable hinge: {escaped(one.hinge)}",
                "",
                table(HEAD, one.rows, "lllll"),
            ]
        )
        for one in told(disputes, verdicts)
    )


def lines_of(disputes: Sequence[Dispute], verdicts: Sequence[Verdict]) -> list[str]:
    """Return a paragraph a dispute for a terminal."""
    found = []
    for one in told(disputes, verdicts):
        found += [*wrapped(one.question), *wrapped(one.when, "  ", "  "), ""]
    return found[:-1]


def _places(dispute: Dispute) -> list[str]:
    """Return where a value may be put: under either side, or under none."""
    return [*(side.says for side in dispute.sides), UNDECIDED, NOT_JUDGED]


def _place(dispute: Dispute, cell: Cell) -> str:
    """Return where a value belongs."""
    if cell.side is not None:
        return dispute.sides[cell.side].says
    return UNDECIDED if cell.judged else NOT_JUDGED


def _row(dispute: Dispute, cell: Cell) -> list[str]:
    """Return the row of a value."""
    verdict = cell.verdict
    effect = " ".join(part for part in (*formatting.effect(verdict), verdict.unit) if part)
    shown = effect if verdict.effect is not None else ""
    label = f"{formatting.SHAPES[verdict.verdict]} {verdict.verdict}"
    return [cell.value, _place(dispute, cell), verdict.claim, label, shown]


def _capital(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
