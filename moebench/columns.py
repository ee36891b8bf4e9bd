"""Plain text in columns, and paragraphs under a heading, as wide as the terminal is."""

import shutil
import textwrap
from collections.abc import Sequence

NARROWEST, USUAL, WIDEST = 60, 100, 120
INDENT = 14  # of the text of a paragraph, beside its heading
GAP = 2  # between columns
LEAST = 30  # of a last column that is wrapped: in less than that, text becomes a sliver


def width() -> int:
    """Return the width of a line: that of the terminal, or of COLUMNS, within reason."""
    return min(max(shutil.get_terminal_size((USUAL, 24)).columns, NARROWEST), WIDEST)


def columns(rows: Sequence[Sequence[str]], indent: int = 0) -> list[str]:
    """Return rows as lines, with their columns under one another.

    A last column that is too wide is wrapped; it begins below the others where these leave too
    little room.
    """
    *widths, last = _widths(rows)
    start = indent + sum(widths) + GAP * len(widths)
    below = width() - start < min(last, LEAST)
    lines: list[str] = []
    for *cells, text in rows:
        head = " " * indent + "".join(
            f"{cell:{size + GAP}}" for cell, size in zip(cells, widths, strict=True)
        )
        if below:
            inner = " " * (indent + 2 * GAP)
            lines += [head.rstrip(), *_wrapped(text, inner, inner)]
        else:
            lines += _wrapped(text, head, " " * start) or [head.rstrip()]
    return lines


def blocks(rows: Sequence[Sequence[str]], indent: int = 0) -> list[str]:
    """Return rows of short cells as lines; columns that find no room stand in a block below.

    The first column is repeated in each block.
    """
    first, *rest = zip(*rows, strict=True)
    widths = _widths(rows)[1:]
    start = indent + max(map(len, first))
    lines: list[str] = []
    while rest:
        taken, used = 1, start + GAP + widths[0]
        while taken < len(rest) and used + GAP + widths[taken] <= width():
            used += GAP + widths[taken]
            taken += 1
        block = [first, *rest[:taken]]
        sizes = [start - indent, *widths[:taken]]
        lines += [" " * indent + _line(row, sizes) for row in zip(*block, strict=True)]
        rest, widths = rest[taken:], widths[taken:]
    return lines


def paragraph(heading: str, text: str) -> list[str]:
    """Return a heading with its text beside it; nothing where there is no text."""
    return _wrapped(text, f"{heading:{INDENT}}", " " * INDENT)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    gap = " " * GAP
    return gap.join(f"{cell:{size}}" for cell, size in zip(cells, sizes, strict=True)).rstrip()


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Return the lines of a text; a word is never broken, for it may be a name or a path."""
    return textwrap.wrap(
        text,
        width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
