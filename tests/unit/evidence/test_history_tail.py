"""A history that grows, is cut and grows again."""

from pathlib import Path

import pytest

from moebench.evidence.history_tail import HistoryTail


def line(step: int, more: str = "") -> str:
    return f'{{"step": {step}, "time": 1.0{more}}}\n'


def steps(tail: HistoryTail) -> list[int]:
    return [line["step"] for line in tail.new_lines()]


def test_each_line_comes_once_and_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    tail = HistoryTail(path)
    assert steps(tail) == []
    path.write_text(line(0) + line(1) + '{"step": 2, ')
    assert steps(tail) == [0, 1]
    assert steps(tail) == []
    with path.open("a") as file:
        file.write('"time": 1.0}\n' + line(3))
    assert steps(tail) == [2, 3]


def test_all_come_again_once_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(line(0) + line(1))
    tail = HistoryTail(path)
    assert steps(tail) == [0, 1]
    path.write_text(line(0))
    assert steps(tail) == [0]
    path.write_text(line(0, "00") + line(1) + line(2))  # cut, and grown again before anybody looked
    assert steps(tail) == [0, 1, 2]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(line(0) + "nonsense\n")
    with pytest.raises(ValueError, match=r"history\.jsonl:2: not a line of a history"):
        HistoryTail(path).new_lines()
