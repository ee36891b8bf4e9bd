"""Disputes as they are shown: a sentence that is generated, never typed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from moebench import report
from moebench.evidence.record import RunRecord
from moebench.papers.dispute import Dispute, Side
from moebench.report.paper.disputes import lines_of, markdown_disputes, told
from moebench.testing.verdicts import claim_of, runs
from moebench.verdict import Verdict, judge
from moebench.verdict.comparisons import Difference

from .fakes import PAPER, Page, make

QUESTION = "Is a better than b?"
SIDES = (
    Side(says="a is better", source="A 2020, Table 1", claims=("A-1", "A-2")),
    Side(says="b is as good", source="B 2021"),
)
CELLS = {"at 1.0": "D-1", "at 1.25": "D-2", "at 2.0": "D-3", "without a limit": "D-4"}
DISPUTE = Dispute(question=QUESTION, sides=SIDES, hinge="the capacity", cells=CELLS)
CLAIMS = [
    claim_of(
        Difference(first=f"a{number}", second=f"b{number}", margin=0.1),
        key=f"D-{number}",
        ours=True,
        seeds=4 if number == 2 else 3,
    )
    for number in (1, 2, 3, 4)
]
B = [2.0, 2.01, 1.99]
FALLS = [1.5, 1.52, 1.48]  # clearly below b
ALIKE = [2.001, 2.008, 1.993]
NOISY = [1.5, 2.4, 1.9]


def verdicts(lower: Mapping[int, Sequence[float]]) -> list[Verdict]:
    arms = {f"a{number}": values for number, values in lower.items()}
    return judge(CLAIMS, runs(**arms, **{f"b{number}": B for number in lower}), "full")


def sentence(**lower: Sequence[float]) -> str:
    by_number = {int(name[1:]): values for name, values in lower.items()}
    [one] = told([DISPUTE], verdicts(by_number))
    return one.when


@pytest.mark.parametrize(
    ("lower", "said"),
    [
        ({}, "Not judged yet."),
        (
            {"a1": FALLS, "a2": FALLS, "a3": ALIKE, "a4": NOISY},
            "At this scale a is better at 1.0 and at 1.25 (preliminary); b is as good at 2.0; "
            "undecided without a limit.",
        ),
        (
            {"a1": ALIKE, "a4": ALIKE},
            "At this scale b is as good at 1.0 and without a limit; not judged yet at 1.25 and at "
            "2.0.",
        ),
        ({"a1": NOISY}, "At this scale undecided at 1.0; not judged yet at 1.25, at 2.0 and "),
    ],
)
def test_when_each_side_is_right(lower: Mapping[str, Sequence[float]], said: str) -> None:
    assert sentence(**lower).startswith(said)


def test_a_readme_has_question_sentence_sides_and_a_row_a_value() -> None:
    text = markdown_disputes([DISPUTE], verdicts({1: FALLS, 3: ALIKE}))
    assert text.startswith(f"**{QUESTION}** At this scale a is better at 1.0; b is as good at 2.0;")
    assert "* A is better: A 2020, Table 1 (bearing on it here: A-1, A-2)\n* B is as" in text
    assert "* B is as good: B 2021\n" in text
    assert "* The probable hinge: the capacity" in text
    rows = [line for line in text.splitlines() if line.startswith(("| at", "| without"))]
    assert [row.split(" | ")[1:3] for row in rows] == [
        ["a is better", "D-1"],
        ["not judged yet", "D-2"],
        ["b is as good", "D-3"],
        ["not judged yet", "D-4"],
    ]
    assert "● reproduced | −0.5" in rows[0]


def test_a_terminal_has_a_paragraph_each() -> None:
    lines = lines_of([DISPUTE, DISPUTE], verdicts({1: FALLS}))
    assert lines[0] == QUESTION
    assert lines[1].startswith("  At this scale a is better at 1.0; not judged")
    assert lines.count(QUESTION) == 2
    assert lines_of([], []) == []


def test_a_page_has_a_section_only_where_there_are_disputes(tmp_path: Path) -> None:
    records: list[RunRecord] = runs(a1=FALLS, b1=B)
    found = judge(CLAIMS, records, "full")
    folder = make(tmp_path, records)
    page = Page(report.render(folder, PAPER, CLAIMS, found, {}, disputes=[DISPUTE]))
    assert QUESTION in page.text
    assert "At this scale a is better at 1.0; not judged yet at 1.25" in page.text
    assert "B is as good: B 2021" in page.text
    assert "Disputes" not in Page(report.render(folder, PAPER, CLAIMS, found, {})).text
