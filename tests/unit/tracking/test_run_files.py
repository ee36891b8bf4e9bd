"""What is read of the files of a run while it grows."""

from pathlib import Path

from moebench.tracking.run_files import Tail, flatten, points
from moebench.tracking.store import Point

from .fakes import CONFIG


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


def test_points_leave_out_shares_of_experts_and_numbers_that_are_not_finite() -> None:
    line = b'{"step": 3, "time": 7.5, "train/loss": NaN, "load/0/1": 0.5, "route/dropped": 0.1}'
    assert list(points(line)) == [
        Point("diverged", 1.0, 7.5, 3),
        Point("route/dropped", 0.1, 7.5, 3),
    ]


def test_flatten_dots_the_names_and_keeps_lists_and_empty_maps_as_json() -> None:
    assert dict(flatten(CONFIG)) == {
        "seed_everything": "0",
        "model.router.class_path": "Switch",
        "model.router.init_args.factor": "1.25",
        "model.losses": "{}",
        "data.class_path": "moebench.data.text.Text",
        "data.init_args.length": "32",
        "callbacks": "[1, null]",
    }


def test_flatten_numbers_the_parts_of_a_list() -> None:
    losses = [{"loss": {"class_path": "ZLoss"}, "weight": 0.1}, {"weight": 0.2}]
    assert dict(flatten({"model": {"losses": losses}})) == {
        "model.losses.0.loss.class_path": "ZLoss",
        "model.losses.0.weight": "0.1",
        "model.losses.1.weight": "0.2",
    }
