"""Tables and paragraphs for a terminal, as wide as its window; plain text where there is none.

Without a window they are 120 columns wide, or as many as the environment variable COLUMNS says.
"""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

NARROWEST, WIDEST = 60, 120
INDENT = 14  # of the text of a paragraph, beside its heading
GAP = 2  # between columns
LEAST = 30  # width to which a column may be wrapped: in less than that, text becomes a sliver


@dataclass(frozen=True)
class _Column:
    title: str
    cells: Sequence[str]
    justify: Literal["left", "right"]

    @cached_property
    def widest(self) -> int:
        """Width at which no line is wrapped."""
        return _widest(line for text in (self.title, *self.cells) for line in text.splitlines())

    @cached_property
    def least(self) -> int:
        """Width that it needs: no word is broken, and only a title is wrapped to a sliver."""
        lines = _widest(line for text in self.cells for line in text.splitlines())
        words = _widest(word for text in (self.title, *self.cells) for word in text.split())
        return max(words, min(lines, LEAST))


def window() -> int:
    """Return the width of the window, which is the most that a table may take."""
    return max(shutil.get_terminal_size((WIDEST, 24)).columns, NARROWEST)


def width() -> int:
    """Return the width of a paragraph: that of the window, up to what is pleasant to read."""
    return min(window(), WIDEST)


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: str = "",
    keys: int = 1,
    indent: int = 0,
    room: int | None = None,
) -> list[str]:
    """Return a table as lines.

    Long cells are wrapped where the window is narrow. Columns that still find no room go into a
    further table below, which repeats the columns that name the rows; one that does not fit beside
    those either goes below them, row by row.

    Args:
        head: titles of the columns; empty for none.
        rows: the cells, which may have several lines.
        align: `l` or `r` for each column; those it leaves out are `l`.
        keys: number of leading columns that name a row.
        indent: spaces before every line.
        room: width that there is; None: that of the window.
    """
    if not head and not rows:
        return []
    titles = head or [""] * len(rows[0])
    columns = [
        _Column(title, cells, "right" if letter == "r" else "left")
        for title, cells, letter in zip_longest(
            titles, zip(*rows, strict=True), align, fillvalue=""
        )
    ]
    room = (window() if room is None else room) - indent
    lines: list[str] = []
    for block in _blocks(columns, keys, room):
        fits = _taken(block) <= room
        part = _side_by_side(block, bool(head), room) if fits else _stacked(block, bool(head))
        lines += [*([""] if lines else []), *(" " * indent + line for line in _printed(part, room))]
    return lines


def paragraph(heading: str, text: str) -> list[str]:
    """Return a heading with its text beside it; nothing where there is no text."""
    return wrapped(text, f"{heading:{INDENT}}", " " * INDENT)


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """Return the lines of a text; no word is broken, for it may be a name or a path.

    Args:
        text: the text.
        first: stands before the first line.
        rest: stands before all others.
    """
    return textwrap.wrap(
        text,
        width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _widest(texts: Iterable[str]) -> int:
    """Return the width of the widest text, in cells of the terminal."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _taken(columns: Sequence[_Column]) -> int:
    """Return the least width of columns side by side."""
    return sum(column.least + GAP for column in columns) - GAP


def _blocks(columns: Sequence[_Column], keys: int, room: int) -> list[list[_Column]]:
    """Return the columns of each table: as many as find room, after those that name the rows."""
    named = list(columns[:keys])
    blocks = [named[:]]
    for column in columns[keys:]:
        if len(blocks[-1]) > keys and _taken([*blocks[-1], column]) > room:
            blocks.append(named[:])
        blocks[-1].append(column)
    return blocks


def _widths(columns: Sequence[_Column], room: int) -> list[int]:
    """Return the width of each column: the least, and what is left to those that want least."""
    spare = room - _taken(columns)
    widths = [column.least for column in columns]
    for number in sorted(range(len(columns)), key=lambda n: columns[n].widest - widths[n]):
        more = min(spare, columns[number].widest - widths[number])
        widths[number] += more
        spare -= more
    return widths


def _side_by_side(columns: Sequence[_Column], headed: bool, room: int) -> "Table":
    """Return columns that find room."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    # The box puts one space between columns, the padding another.
    found = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    found.show_header = headed
    for column, width in zip(columns, _widths(columns, room), strict=True):
        found.add_column(column.title, justify=column.justify, width=width, overflow="fold")
    for row in zip(*(column.cells for column in columns), strict=True):
        found.add_row(*row)
    return found


def _stacked(columns: Sequence[_Column], headed: bool) -> "Table":
    """Return the last of the columns below the others, row by row."""
    from rich.padding import Padding
    from rich.table import Table

    found = Table.grid()
    rows = zip(*([column.title] * headed + [*column.cells] for column in columns), strict=True)
    for *names, text in rows:
        found.add_row((" " * GAP).join(names))
        if text:
            found.add_row(Padding(text, (0, 0, 0, 2 * GAP)))
    return found


def _printed(what: "RenderableType", room: int) -> list[str]:
    """Return the lines of what rich prints: bold heads on a terminal, else plain text."""
    from rich.console import Console

    console = Console(width=room, markup=False, emoji=False, highlight=False)
    with console.capture() as printed:
        console.print(what)
    return [line.rstrip() for line in printed.get().rstrip("\n").split("\n")]
