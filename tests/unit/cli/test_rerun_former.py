"""A configuration is known by the names that its classes had when a record was made."""

from moebench.cli.rerun.former import former_hash, hashes_of
from moebench.experiment import Experiment
from moebench.experiment.classes import named_class
from moebench.models import RotaryDecoder


def experiment(package: str) -> Experiment:
    return Experiment(
        {
            "seed_everything": 3,
            "model": {"class_path": f"{package}.nets.Net", "init_args": {"layers": [1, 2]}},
            "data": {"class_path": "moved_not.Data", "init_args": {"seed": 3, "rows": 4}},
        }
    )


def test_only_the_names_of_then_count() -> None:
    now, then = experiment("moved"), experiment("before.it")
    assert former_hash(now, {"moved": "before.it"}) == then.hash != now.hash
    assert former_hash(now, {}) == former_hash(now, {"move": "x"}) == now.hash


def test_a_record_may_be_older_than_one_change_of_names_only() -> None:
    now, moved = experiment("moved"), {"moved": "second", "second": "first"}
    assert hashes_of(now, moved) == {experiment(name).hash for name in ("moved", "second", "first")}


def test_the_former_name_of_a_model_resolves() -> None:
    assert named_class("moebench.models.Mixtral") is RotaryDecoder
