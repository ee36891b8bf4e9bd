"""Tables for other programs: what reads them back finds the same."""

import csv
import io
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
