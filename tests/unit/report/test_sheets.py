"""Tables for other programs: what reads them back finds the same."""

import csv
import io
import re
from pathlib import Path

import pytest

from moebench.cli.exports import FORMS
from moebench.papers.claim import VerdictLabel
from moebench.report.paper.verdict_sheet import verdict_sheet
from moebench.report.sheets import FORMATS, Sheet, latex, write_sheet

from .fakes import CLAIMS, VERDICTS, claim, verdict

SHEET = Sheet(("name", "a_b"), [("50% & more", "−1.0"), ("x | y", "≤ 2")], "pr")


def test_the_command_line_offers_all_forms() -> None:
    assert tuple(FORMATS) == FORMS


def test_latex_prints_what_the_cell_says() -> None:
    assert latex(r"50% & a_b\n #1 ~ ^ {x} $") == (
        r"50\% \& a\_b\textbackslash{}n \#1 \textasciitilde{} \textasciicircum{} \{x\} \$"
    )
    assert latex("−1 ≤ x × 2…") == r"$-$1 $\leq$ x $\times$ 2\dots{}"


ODD = [
    ("[0.1, 0.2]", r"50% & a_b\n #1 ~ ^ {x} $ <y>"),
    ("* starred", 'said "so", twice'),
    ("", "two\nlines"),
    ("ʌ and α", "± ≥ ≈ → é"),
]


def unescaped(signs: str, text: str) -> list[str]:
    """The signs of a text that LaTeX takes as commands."""
    return re.findall(rf"(?<!\\)[{signs}]", text)


def assert_latex(text: str, columns: int) -> None:
    """What pdflatex would trip over is not there: a table is as wide as it says, row by row."""
    lines = text.splitlines()
    assert lines[0].startswith("%")
    assert lines[1].startswith(r"\begin{tabular}")
    assert lines[-1] == r"\end{tabular}"
    rows = [line for line in lines[2:-1] if not line.endswith("rule")]
    for row in rows:
        assert row.endswith(r" \\"), row
        assert len(unescaped("&", row)) == columns - 1, row
        assert not unescaped("%#_~^", row), row
        assert not row.startswith(("[", "*")), row
        assert len(unescaped("$", row)) % 2 == 0, row
        assert len(unescaped("{", row)) == len(unescaped("}", row)), row
        assert max(row) <= "\u017f", row


def test_cells_of_any_text_make_a_table_that_latex_reads() -> None:
    text = Sheet(("name", "a_b"), ODD, "lp").latex()
    assert_latex(text, columns=2)
    assert len(text.splitlines()) == len(ODD) + 7
    assert r"\texttt{U+028C} and \texttt{U+03B1}" in text
    assert_latex(verdict_sheet(VERDICTS).latex(), columns=8)


def test_csv_is_read_back_with_equal_rows() -> None:
    head = ("name", "a,b")
    assert list(csv.reader(io.StringIO(Sheet(head, ODD, "ll").csv()))) == list(
        map(list, [head, *ODD])
    )


def test_a_sheet_is_a_tabular_and_a_table_of_markdown() -> None:
    lines = SHEET.latex().splitlines()
    assert lines[1] == r"\begin{tabular}{p{0.8\linewidth}r}"
    assert r"50\% \& more & $-$1.0 \\" in lines
    assert lines[-1] == r"\end{tabular}"
    assert SHEET.markdown().splitlines()[1:] == [
        "| --- | ---: |",
        "| 50% & more | −1.0 |",
        r"| x \| y | ≤ 2 |",
    ]


def test_verdicts_are_read_back_with_all_digits() -> None:
    rows = list(csv.DictReader(io.StringIO(verdict_sheet(VERDICTS).csv())))
    assert [row["claim"] for row in rows] == [one.key for one in CLAIMS]
    assert float(rows[0]["effect"]) == VERDICTS[0].effect
    assert rows[0]["low"] == str(VERDICTS[0].low)
    assert [row["of"] for row in rows] == [
        *("paper", "paper", "paper", "null control of C1", "ours"),
    ]
    assert rows[2]["effect"] == "", "nothing is known of it"


@pytest.mark.parametrize("form", FORMS)
def test_verdicts_without_a_number_are_in_every_form(form: str) -> None:
    text = FORMATS[form](verdict_sheet([verdict(claim("X"), VerdictLabel.NEEDS_GPU)]))
    assert "needs gpu" in text
    assert "None" not in text


def test_the_files_have_the_endings_of_their_kind(tmp_path: Path) -> None:
    paths = write_sheet(SHEET, tmp_path, "t")
    assert [path.name for path in paths] == ["t.csv", "t.md", "t.tex"]
    assert paths[1].read_text() == SHEET.markdown()
