"""Blocks of Markdown, and where they stand in a text."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from moebench import report
from moebench.papers.claim import VerdictLabel
from moebench.papers.plan import PaperTable

from .fakes import CLAIMS, PAPER, VERDICTS, make, record, verdict


def test_markdown_table() -> None:
    lines = report.markdown_table(VERDICTS).splitlines()
    assert lines[0] == (
        "| claim | verdict | statement | paper | effect [95% interval] | n | adjusted p "
        "| beside it |"
    )
    assert lines[2] == (
        "| C1 | ● reproduced\\* | Statement C1 & more. | table 1; loss gap −1.5; sizes 1, 2 "
        "| −0.123 \\[−0.150, −0.097\\] nats | 3 | 0.012 "
        "| null control failed (C1n); FLOPs ×1.40 (switch to dense); n: speaker orders |"
    )
    assert lines[3].endswith("| no control \\[1\\] |")
    assert lines[4].startswith("| C3 | – not testable here |")
    assert lines[4].endswith("|  |  |  |  |")
    assert lines[6] == "Controls and claims of our own, whose p is not adjusted."
    assert lines[8].split(" | ")[6] == "p"
    assert lines[10].startswith("| C1n | ⊠ control failed | ")
    assert lines[10].endswith("| 0.046 | null control of C1 |")
    assert lines[13] == "\\* preliminary: fewer runs than the claim asks for."
    assert lines[15].startswith("n up to 10: if differences between runs are skewed")
    assert lines[17] == "\\[1\\] None."


def test_counts_are_of_what_the_paper_says() -> None:
    found = {
        "[One](a)": ("one", VERDICTS),
        "[Two](b)": ("two", [verdict(CLAIMS[2], VerdictLabel.NOT_IMPLEMENTED)]),
    }
    head, _, one, two = report.markdown_counts(found).splitlines()
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        *("paper", "name", "● reproduced", "◐ partial", "✕ not reproduced", "○ inconclusive"),
        "– not judged",
    ]
    assert one == "| [One](a) | `one` | 1 | 0 | 1 | 0 | 1 |"
    assert two == "| [Two](b) | `two` | 0 | 0 | 0 | 0 | 1 |"


def test_a_line_counts_controls_and_additions_apart() -> None:
    assert report.told_counts(VERDICTS) == (
        "Statements of the paper: 1 reproduced, 1 not reproduced, 1 not testable here. "
        "Controls: 1 failed. Claims of our own: 1 partial."
    )
    not_run = [verdict(CLAIMS[3], VerdictLabel.NEEDS_FULL), verdict(CLAIMS[3], VerdictLabel.PASSED)]
    assert report.told_counts(not_run) == "Controls: 1 passed, 1 not judged."


def test_the_picture_has_a_mark_for_every_statement() -> None:
    drawn = report.picture({"one 1991": VERDICTS, "two & 2": [VERDICTS[0]] * 30})
    picture = ElementTree.fromstring(drawn)  # whole and without a stray sign
    space = {"svg": "http://www.w3.org/2000/svg"}
    marks = [use.get("class") for use in picture.findall("svg:use", space)]
    legend = ["reproduced", "partial", "not-reproduced", "inconclusive", "faint"]
    assert marks == [*legend, "reproduced", "not-reproduced", "faint", *["reproduced"] * 30]
    texts = [text.text for text in picture.findall("svg:text", space)]
    assert texts[:2] == ["31 reproduced", "0 partial"]
    assert texts[-2:] == ["one 1991", "two & 2"]
    width = float(picture.get("width"))
    assert all(float(use.get("x")) < width - 8 for use in picture.findall("svg:use", space))
    assert "prefers-color-scheme:dark" in drawn


def test_figures_of_one_caption_stand_above_it() -> None:
    one = report.FigureFile("figure_a.svg", "<svg/>", 'Effects ("a")', "What it shows.")
    two = replace(one, name="figure_b.svg")
    other = replace(one, name="figure_load.svg", caption="Load.")
    first, caption, last, load = report.markdown_figures([one, two, other]).split("\n\n")
    assert [line.split()[1] for line in first.splitlines()] == [
        'src="figure_a.svg"',
        'src="figure_b.svg"',
    ]
    assert 'alt="Effects (&quot;a&quot;)"' in first
    assert (caption, load) == ("What it shows.", "Load.")
    assert last.startswith('<img src="figure_load.svg"')
    assert report.markdown_figures([]) == (
        "No effect here has an interval, so there is nothing to draw."
    )


def test_markdown_reasons_are_one_line_a_claim() -> None:
    first = replace(VERDICTS[0], why="a beats b_1:\nholds, 2 [1, 3] nats.")
    lines = report.markdown_reasons([first, VERDICTS[1]]).splitlines()
    assert lines[0] == f"* **{first.claim}** a beats b\\_1: holds, 2 \\[1, 3\\] nats."
    assert len(lines) == 2


def test_the_points_of_a_search_share_a_row_of_costs() -> None:
    points = [record("many/0.1,2"), record("many/0.2,1"), record("many/0.2,1", seed=1)]
    _, _, *rows = report.markdown_costs(
        [*points, record("one/0.1"), record("one/0.2")]
    ).splitlines()
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| many, all points", "3"],
        ["| one/0.1", "1"],
        ["| one/0.2", "1"],
    ]


def test_where_nothing_was_trained_a_line_says_so() -> None:
    told = report.markdown_costs([record("sums", steps=0), record("a", status="diverged")])
    assert told.startswith("None: costs are those of trained arms, of which none finished")


def test_markdown_costs_are_means_over_finished_trainings() -> None:
    records = [
        record("a|b", 0),
        record("a|b", 1, tokens_per_second=25.0, params_total=5_600_000),
        record("a|b", 2, status="diverged", tokens_per_second=0.4),
        record("sums", steps=0),
    ]
    _, _, *rows = report.markdown_costs(records).splitlines()
    assert rows == ["| a\\|b | 2 | 5.50 M | 1.00 M | 2.00 M | 3.00 | 37.5 | 3.0 MiB |"]


def test_runs_that_leak_are_marked_with_a_footnote(tmp_path: Path) -> None:
    leaky = [record("a", 0), record("a", 1, leaks="later tokens"), record("b", leaks="unknown")]
    *rows, blank, note = report.markdown_costs([*leaky, record("c")]).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| a†", "| b†", "| c"]
    assert not blank
    told = "† causal, but its routing depends on more than the tokens so far: later tokens, unknown"
    assert note == f"{told}."
    assert note in report.render(make(tmp_path / "a", leaky), PAPER, [], [], {})
    assert "†" not in report.markdown_costs([record("c")])
    assert "†" not in report.render(make(tmp_path / "b", [record("c")]), PAPER, [], [], {})


def test_tables_of_a_paper_stand_on_the_page_and_in_markdown(tmp_path: Path) -> None:
    table = PaperTable("t", "Table 6", "Rows <of> it.", ["weights", "paper"], [["0|0", "39.8"]])
    html = report.render(make(tmp_path / "a", []), PAPER, [], [], {}, tables=[table])
    assert "Rows &lt;of&gt; it." in html
    assert '<tr><th scope="row">0|0</th><td>39.8</td></tr>' in html
    assert "Tables of the paper" not in report.render(make(tmp_path / "b", []), PAPER, [], [], {})
    *_, row = report.markdown_paper_table(table).splitlines()
    assert row == "| 0\\|0 | 39.8 |"


def test_fill_replaces_one_block() -> None:
    text = "a\n<!-- begin:x -->\nold\n<!-- end:x -->\nb <!-- begin:y -->"
    filled = report.fill(text, "x", "| new |\n")
    assert filled == "a\n<!-- begin:x -->\n| new |\n<!-- end:x -->\nb <!-- begin:y -->"
    assert report.fill(filled, "x", "| new |") == filled


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!-- end:x -->", "<!-- begin:x -->: expected once in the text, found 0"),
        ("<!-- begin:x -->", "<!-- end:x -->: expected once in the text, found 0"),
        ("<!-- begin:x --><!-- end:x --><!-- end:x -->", "found 2"),
        ("<!-- end:x --><!-- begin:x -->", "<!-- end:x -->: expected after <!-- begin:x -->"),
    ],
)
def test_fill_names_the_marker_at_fault(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        report.fill(text, "x", "")
