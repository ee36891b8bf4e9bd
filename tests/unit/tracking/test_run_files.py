"""What is read of the files of a run while it grows."""

from moebench.tracking.run_files import flatten, points
from moebench.tracking.store import Point

from .fakes import CONFIG


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
