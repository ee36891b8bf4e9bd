"""Plain text in columns, and paragraphs under a heading."""

import textwrap
from collections.abc import Sequence

WIDTH = 110
INDENT = 14  # of the text of a paragraph, beside its heading


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, with their columns under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def paragraph(heading: str, text: str) -> list[str]:
    """Return a heading with its text beside it; nothing where there is no text."""
    first, rest = f"{heading:{INDENT}}", " " * INDENT
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
