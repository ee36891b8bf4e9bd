"""A configuration is known by the names that its classes had when a record was made."""

from dataclasses import replace

from moebench.cli.rerun.former import but_for, former_hash, hashes_of, with_losses
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
    known = hashes_of(now, moved)
    assert known == {experiment(name).hash: () for name in ("moved", "second", "first")}


def test_a_record_may_lack_keys_that_were_added_since() -> None:
    """With another value the run is another one."""
    now, key = experiment("moved"), "router_rate"
    for value, lacking in ((1.0, ("model.router_rate",)), (0.5, None)):
        rated = replace(now, config={**now.config, "model": {**now.config["model"], key: value}})
        known = hashes_of(rated, {})
        assert known[rated.hash] == ()
        assert known.get(now.hash) == lacking
    assert but_for(()) == ""
    assert but_for(["a"]) == ", but for a, which was added later and changes nothing"
    assert but_for(["a", "b"]) == ", but for a, b, which were added later and change nothing"


def test_a_twin_may_have_kept_the_losses_on_routing() -> None:
    twin, base = experiment("moved"), experiment("moved")
    losses = [{"weight": 0.01}]
    base = replace(
        base, config={**base.config, "model": {**base.config["model"], "losses": losses}}
    )
    assert with_losses(twin, base).hash == base.hash != twin.hash


def test_the_former_name_of_a_model_resolves() -> None:
    assert named_class("moebench.models.Mixtral") is RotaryDecoder
