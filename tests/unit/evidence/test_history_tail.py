"""A history that grows, is cut and grows again."""

from pathlib import Path

import pytest

from moebench.evidence.history_tail import Tail


def line(step: int, more: str = "") -> str:
    return f'{{"step": {step}, "time": 1.0{more}}}\n'


def steps(tail: Tail) -> list[int]:
    return [line["step"] for line in tail.new_lines()]


def test_each_line_comes_once_and_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    tail = Tail(path)
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
    tail = Tail(path)
    assert steps(tail) == [0, 1]
    path.write_text(line(0))
    assert steps(tail) == [0]
    path.write_text(line(0, "00") + line(1) + line(2))  # cut, and grown again before anybody looked
    assert steps(tail) == [0, 1, 2]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(line(0) + "nonsense\n")
    with pytest.raises(ValueError, match=r"history\.jsonl:2: not a line of a history"):
        Tail(path).new_lines()


def test_a_tail_waits_for_the_end_of_a_line_and_repeats_what_was_not_accepted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(b"one\ntwo\nthr")
    assert tail.read() == tail.read() == [b"one\n", b"two\n"]
    tail.accept(tail.read())
    assert tail.read() == []
    path.write_bytes(b"one\ntwo\nthree\n")
    assert tail.read() == [b"three\n"]


def test_a_tail_starts_over_where_the_file_was_cut_even_if_it_has_grown_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    tail = Tail(path)
    path.write_bytes(b"one\ntwo\n")
    tail.accept(tail.read())
    path.write_bytes(b"one\nTWO and more\nthree\n")
    assert tail.read() == [b"one\n", b"TWO and more\n", b"three\n"]
