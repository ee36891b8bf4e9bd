"""Tables and text fit the window: cells are wrapped or stand in a table below, none is lost."""

import pytest

from moebench.cli.terminal import naming
from moebench.report.tables import paragraph, table, width, window

TEXT = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS = [f"number_{n}" for n in range(7)]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


@pytest.mark.parametrize(("told", "used"), [("20", 60), ("90", 90), ("500", 500)])
def test_the_width_is_that_of_the_window(
    told: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert window() == used
    assert width() == min(used, 120), "longer lines of text are hard to read"


def test_a_long_cell_is_wrapped() -> None:
    assert table((), [("name", TEXT), ("other name", "short")], indent=2) == [
        "  name        one two three four five six seven eight nine",
        "              ten eleven twelve",
        "  other name  short",
    ]


def test_a_cell_without_room_begins_below() -> None:
    long = "a_name_that_leaves_too_little_room"
    assert table((), [(long, TEXT), ("b", "")]) == [
        long,
        "    one two three four five six seven eight nine ten eleven",
        "    twelve",
        "b",
    ]
    assert table((), [(long, "short")]) == [f"{long}  short"], "short text has room"


def test_columns_without_room_stand_in_a_table_below() -> None:
    found = table(["arm", *NUMBERS], [["a", *map(str, range(7))]], "l" + "r" * 7)
    assert [line.split() for line in found if "─" not in line] == [
        ["arm", *NUMBERS[:5]],
        ["a", "0", "1", "2", "3", "4"],
        [],
        ["arm", *NUMBERS[5:]],
        ["a", "5", "6"],
    ]


@pytest.mark.parametrize("columns", ["60", "75", "110", "300"])
def test_nothing_is_lost_and_no_column_is_a_sliver(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich would draw markup and emoji, and cut or squeeze what has no room."""
    monkeypatch.setenv("COLUMNS", columns)
    name, effect = "a_rather_long_name_of_an_arm", "[bold]-0.1[/] [-0.2, 0.1] :x:"
    lines = table(["arm", "effect", "n", "text"], [(name, effect, "3", f"{TEXT}\n{TEXT}")])
    assert max(map(len, lines)) <= int(columns)
    words = " ".join(lines).split()
    assert {name, *effect.split(), *TEXT.split(), "arm", "effect", "n", "text"} <= set(words)
    assert words.count("twelve") == 2
    assert len(lines) < 18


def test_no_word_of_a_paragraph_is_broken() -> None:
    path = "/a/path/" + "deep/" * 12
    assert paragraph("runs", f"3, in {path}") == ["runs          3, in", f"{'':14}{path}"]
    assert paragraph("none", "") == []


def test_heads_are_bold_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in "".join(table(["arm"], [["a"]]))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "\x1b[1m" in table(["arm"], [["a"]])[0]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([("a", "x", "1"), ("a", "y", "1"), ("b", "x", "1")], 2),
        ([("a", "x", "1"), ("b", "x", "1")], 1),
        ([("a", "x"), ("a", "x")], 1),
        ([], 1),
    ],
)
def test_a_table_of_a_paper_repeats_the_columns_that_tell_its_rows_apart(
    rows: list[tuple[str, ...]], count: int
) -> None:
    assert naming(rows) == count
