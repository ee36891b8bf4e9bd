"""The dense twin is dense, and equal in the cost it was asked to equal."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from moebench import baselines
from moebench.baselines import RELATIVE, Measured, dense, solve, times_as_long, twin
from moebench.cost import count_batch, parameters
from moebench.experiment import load
from moebench.moe.capacity import Limited

SHAZEER = Path(__file__).parents[2] / "configs" / "shazeer_2017"

ROUTER = "model.network.init_args.sparse.router.init_args"
HIDDEN = ("model", "network", "init_args", "shape", "hidden")


def hidden_of(experiment) -> int:
    value = experiment.config
    for key in HIDDEN:
        value = value[key]
    return value


def test_solve_finds_the_width_on_a_straight_line() -> None:
    assert solve(lambda width: 100 + 3 * width, target=100 + 3 * 640, start=512) == 640
    assert solve(lambda width: 5 * width, target=5 * 519, start=64) == 512, "nearest multiple of 16"
    assert solve(lambda width: 5 * width, target=0.0, start=64) == 16, "no block without a width"


def test_equal_flops_give_the_width_of_one_expert(tiny) -> None:
    made = twin(tiny("switch_8.yaml"), "active_flops")
    assert hidden_of(made) == 256
    made = twin(tiny("top2_8.yaml"), "active_flops")
    # Every second of two blocks has two experts of 256; spread over both that is 384 each.
    assert hidden_of(made) == 384


def test_a_twin_has_no_mixture_and_all_else_alike(tiny) -> None:
    sparse = tiny("switch_8.yaml", seed=3)
    made = twin(sparse, "active_flops")
    arguments = made.config["model"]["network"]["init_args"]
    assert arguments["sparse"] is None
    assert made.config["data"] == sparse.config["data"]
    assert made.config["trainer"] == sparse.config["trainer"]
    assert made.config["seed_everything"] == 3


def test_points_that_differ_in_routing_alone_have_one_twin(tiny) -> None:
    first = dense(tiny("switch_8.yaml", {"model.router_rate": 0.1}), 64)
    second = dense(tiny("switch_8.yaml", {"model.losses": []}), 64)
    assert first.config["model"]["losses"] is None
    assert first.hash == second.hash
    assert dense(tiny("switch_8.yaml", {"model.warmup_steps": 7}), 64).hash != first.hash


def test_equal_parameters_within_one_step_of_width(tiny) -> None:
    sparse = tiny("switch_8.yaml")
    made = twin(sparse, "total_params")
    model, _, _ = made.build(logger=False)
    target = parameters(sparse.build(logger=False)[0])
    one_step = 16 * 2 * 32 * 2  # 16 more features, two matrices, width 32, two blocks
    assert abs(parameters(model) - target) <= one_step / 2


@pytest.mark.parametrize("matched", ["active_flops", "step_time"])
def test_only_flops_are_those_without_a_limit(matched, tiny, monkeypatch) -> None:
    """A stand-in of the clock goes by the capacity of the mixture and the width of its twin."""
    limits = f"{ROUTER}.capacity", f"{ROUTER}.eval_capacity"
    few, many = (tiny("switch_8.yaml", {key: {"factor": f} for key in limits}) for f in (0.5, 4.0))
    monkeypatch.setitem(RELATIVE, "step_time", lambda one, other: size(one) / size(other))
    narrow, wide = hidden_of(twin(few, matched)), hidden_of(twin(many, matched))
    assert (narrow == wide) == (matched == "active_flops")
    assert narrow <= wide


def size(of: Measured) -> float:
    limits = [m.capacity.factor for m in of.model.modules() if isinstance(m, Limited)]
    return 1000.0 * sum(limits) if limits else parameters(of.model) / 100


def measured(experiment) -> Measured:
    model, data, trainer = experiment.build(logger=False)
    data.setup("fit")
    return Measured(model, data, trainer)


def test_two_alike_take_as_long(tiny) -> None:
    wide = {"model.network.init_args.shape.hidden": 8192}
    small, large = measured(tiny("dense.yaml")), measured(tiny("dense.yaml", wide))
    assert 0.5 < times_as_long(small, small) < 2
    assert times_as_long(large, small) > 2


def test_a_machine_that_slows_down_slows_both(tiny, monkeypatch) -> None:
    """By a clock on which every step is half as fast as the one before."""
    clock = itertools.chain.from_iterable((0.0, 2.0**step) for step in itertools.count())
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    small = measured(tiny("dense.yaml"))
    assert times_as_long(small, small) == pytest.approx(0.5)


@pytest.mark.parametrize(("seconds", "pairs"), [(1e-3, 15), (1.0, 5), (60.0, 3)])
def test_long_steps_are_timed_less_often(seconds: float, pairs: int, monkeypatch) -> None:
    taken = []

    def steps(_: object) -> Iterator[float]:
        while True:
            taken.append(seconds)
            yield seconds

    monkeypatch.setattr(baselines, "_steps", steps)
    assert times_as_long(None, None) == 1.0
    assert len(taken) == 2 * (1 + pairs), "the first step of each is not counted"


def test_the_twin_of_a_recurrent_model_is_the_papers_wide_expert() -> None:
    """Four experts of 64 at work for a token are as many features as one of 256."""
    files = [SHAZEER / "recall.yaml", SHAZEER / "moe.yaml"]
    small = {"data.init_args.batch_size": 4, "data.init_args.valid_batches": 1}
    made = twin(load(files, small), "total_params").config["model"]["network"]["init_args"]
    gates = 2 * 16 * 32  # two matrices of 32 features and 16 experts
    features = 16 * 64 + gates / (2 * 32)
    assert made["middle"]["init_args"] == {"hidden": round(features / 16) * 16, "layers": 1}
    assert made["middle"]["class_path"] == "moebench.models.lstm_moe_2017.SingleExpert"
    wide = load([SHAZEER / "recall.yaml", SHAZEER / "moe_1_wide.yaml"], small)
    written = wide.config["model"]["network"]["init_args"]["middle"]
    assert written == {**made["middle"], "init_args": {"hidden": 4 * 64, "layers": 1}}
    assert dense(load(files, small), 4 * 64).config["model"]["network"]["init_args"] == {
        **load(files, small).config["model"]["network"]["init_args"],
        "middle": written,
    }


def test_dense_without_a_mixture_is_refused(tiny) -> None:
    with pytest.raises(ValueError, match="no mixture"):
        dense(tiny("dense.yaml"), 64)


def test_the_committed_dense_configuration_is_the_twin(tiny) -> None:
    made, written = twin(tiny("switch_8.yaml"), "active_flops"), tiny("dense.yaml")
    costs = []
    for experiment in (made, written):
        model, data, _ = experiment.build(logger=False)
        data.setup("fit")
        costs.append(count_batch(model.eval().network, next(iter(data.val_dataloader()))))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(("precision", "mixed"), [("bf16-mixed", True), ("32-true", False)])
def test_a_step_is_timed_in_the_precision_of_the_run(tiny, precision: str, mixed: bool) -> None:
    run = measured(tiny("switch_8.yaml", {"trainer.precision": precision}))
    seen: list[bool] = []
    network = run.model.network
    network.register_forward_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
    assert times_as_long(run, run) > 0
    assert set(seen) == {mixed}
