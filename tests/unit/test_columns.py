"""Text in columns fits its terminal: a last column is wrapped, or begins below the others."""

import pytest

from moebench.columns import blocks, columns, paragraph, width

TEXT = "one two three four five six seven eight nine ten eleven twelve"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


@pytest.mark.parametrize(("told", "used"), [("20", 60), ("90", 90), ("500", 120)])
def test_the_width_is_that_of_the_terminal_within_reason(
    told: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert width() == used


def test_a_last_column_is_wrapped() -> None:
    assert columns([("name", TEXT), ("other name", "short")], indent=2) == [
        "  name        one two three four five six seven eight nine",
        "              ten eleven twelve",
        "  other name  short",
    ]


def test_a_last_column_without_room_begins_below() -> None:
    long = "a_name_that_leaves_too_little_room"
    assert columns([(long, TEXT), ("b", "")]) == [
        long,
        "    one two three four five six seven eight nine ten eleven",
        "    twelve",
        "b",
    ]
    assert columns([(long, "short")]) == [f"{long}  short"], "short text has room"


def test_columns_without_room_stand_in_a_block_below() -> None:
    rows = [["arm", *(f"number_{n}" for n in range(7))], ["a", *map(str, range(7))]]
    found = blocks(rows)
    assert found[0] == "arm  number_0  number_1  number_2  number_3  number_4"
    assert found[1].split() == ["a", "0", "1", "2", "3", "4"]
    assert found[2:] == ["arm  number_5  number_6", "a    5         6"]


def test_no_word_is_broken() -> None:
    path = "/a/path/" + "deep/" * 12
    assert paragraph("runs", f"3, in {path}") == ["runs          3, in", f"{'':14}{path}"]
    assert paragraph("none", "") == []
