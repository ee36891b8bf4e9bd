"""One table in the forms that other programs read: CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moebench.evidence.record_files import write_whole
from moebench.report.paper.markdown import table as markdown

KNOWN = "\u017f"  # the last of the letters that pdflatex knows: Latin ones, with their accents
# What LaTeX takes as a command, and what pdflatex has no character for.
LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "−": r"$-$",
    "–": "--",
    "×": r"$\times$",
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "→": r"$\rightarrow$",
    "∞": r"$\infty$",
    "†": r"\dag{}",
    "●": r"$\bullet$",
    "○": r"$\circ$",
    "◐": r"$\odot$",
    "✕": r"$\times$",
    "■": r"$\blacksquare$",
    "□": r"$\square$",
    "⊠": r"$\boxtimes$",
    "…": r"\dots{}",
}
PACKAGES = r"% \usepackage{amssymb,booktabs}"


@dataclass(frozen=True)
class Sheet:
    """A table with its cells as a reader sees them, and with all digits where a program reads.

    Args:
        head: titles of the columns.
        rows: the cells.
        align: a letter a column: `l`, `r`, or `p` for text of several lines.
        full_head: names of the columns of the file of figures; empty: `head` and `rows` are that.
        full_rows: its cells.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str
    full_head: Sequence[str] = ()
    full_rows: Sequence[Sequence[object]] = ()

    def csv(self) -> str:
        """Return the figures, with empty cells where nothing is known."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.full_head or self.head)
        writer.writerows(self.full_rows if self.full_head else self.rows)
        return text.getvalue()

    def markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown(self.head, self.rows, self.align.replace("p", "l")) + "\n"

    def latex(self) -> str:
        """Return the table as a `tabular` with the rules of booktabs."""
        room = f"{0.8 / max(1, self.align.count('p')):.2g}"
        columns = self.align.replace("p", rf"p{{{room}\linewidth}}")
        lines = [PACKAGES, rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
        lines += [_latex_row(self.head), r"\midrule", *map(_latex_row, self.rows)]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


FORMATS: Mapping[str, Callable[[Sheet], str]] = {
    "csv": Sheet.csv,
    "markdown": Sheet.markdown,
    "latex": Sheet.latex,
}
ENDINGS = {"csv": "csv", "markdown": "md", "latex": "tex"}


def write_sheet(
    sheet: Sheet, folder: Path, name: str, forms: Sequence[str] = tuple(FORMATS)
) -> list[Path]:
    """Write a table to `<name>.csv`, `.md` and `.tex`, each whole or not at all; return the paths.

    Args:
        sheet: the table.
        folder: which must be there.
        name: of the files, without their endings.
        forms: which of them.
    """
    paths = []
    for form in forms:
        paths.append(folder / f"{name}.{ENDINGS[form]}")
        write_whole(paths[-1], FORMATS[form](sheet))
    return paths


def _latex_row(cells: Sequence[str]) -> str:
    """Return a row of cells.

    A bracket or a star at its beginning would be read as part of the line break before it.
    """
    row = " & ".join(latex(cell) for cell in cells)
    return ("{}" if row.startswith(("[", "*")) else "") + row + r" \\"


def latex(cell: str) -> str:
    """Return text that LaTeX prints as it is; a character that it does not know, by its number."""
    return "".join(LATEX.get(sign) or _printable(sign) for sign in " ".join(cell.split()))


def _printable(sign: str) -> str:
    """Return a character, or its number."""
    return sign if sign <= KNOWN else rf"\texttt{{U+{ord(sign):04X}}}"
