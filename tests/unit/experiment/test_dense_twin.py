"""The dense twin is dense, and equal in the cost it was asked to equal."""

from pathlib import Path
from typing import Any

import pytest

from moebench.experiment import Experiment, load
from moebench.experiment.dense_twin import dense, solve, twin
from moebench.training.cost import count_batch

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"


def arguments(experiment: Experiment) -> dict[str, Any]:
    return experiment.config["model"]["network"]["init_args"]


def test_solve_finds_the_width_on_a_straight_line() -> None:
    assert solve(lambda width: 100 + 3 * width, target=100 + 3 * 640, start=512) == (640, 2020)
    for target, nearest in ((519, 512), (521, 528), (0, 16)):  # no block without a width
        assert solve(lambda width: 5 * width, 5 * target, start=64) == (nearest, 5 * nearest)
    assert solve(lambda width: 5 * width, target=160, start=4) == (32, 160)


def test_a_clock_by_which_wider_is_faster_draws_no_line() -> None:
    """Of the two widths timed the nearer one is taken."""
    assert solve(lambda width: 100 - width, target=50, start=64) == (64, 36)
    assert solve(lambda width: 7, target=50, start=64) == (64, 7)


def test_a_twin_has_no_mixture_and_all_else_alike(tiny) -> None:
    sparse = tiny("switch_8.yaml", seed=3)
    made = dense(sparse, 64)
    assert arguments(made)["sparse"] is None
    assert made.config["data"] == sparse.config["data"]
    assert made.config["trainer"] == sparse.config["trainer"]
    assert made.config["seed_everything"] == 3


def test_points_that_differ_in_routing_alone_have_one_twin(tiny) -> None:
    sparse = tiny("switch_8.yaml")

    def other(**model: object) -> Experiment:
        config = dict(sparse.config)
        return dense(Experiment({**config, "model": {**config["model"], **model}}), 64)

    first, second = other(router_rate=0.1), other(losses=[])
    assert first.config["model"]["losses"] is None
    assert first.hash == second.hash
    assert other(warmup_steps=7).hash != first.hash


def test_the_twin_of_a_recurrent_model_is_a_wide_expert() -> None:
    """Four experts of 64 at work for a token are as many features as one of 256."""
    small = {"data.init_args.batch_size": 4, "data.init_args.valid_batches": 1}
    mixture, wide = (
        load([CONFIGS / "recall.yaml", CONFIGS / name], small)
        for name in ("lstm.yaml", "lstm_wide.yaml")
    )
    made = arguments(twin(mixture, "total_params").experiment)["middle"]
    gates = 2 * 16 * 32  # two matrices of 32 features and 16 experts
    features = 16 * 64 + gates / (2 * 32)
    assert made["init_args"] == {"hidden": round(features / 16) * 16, "layers": 1}
    assert made["class_path"] == "moebench.models.lstm.SingleExpert"
    written = arguments(wide)["middle"]
    assert written == {**made, "init_args": {"hidden": 4 * 64, "layers": 1}}
    assert arguments(dense(mixture, 4 * 64)) == {**arguments(mixture), "middle": written}


def test_dense_without_a_mixture_is_refused(tiny) -> None:
    with pytest.raises(ValueError, match="no mixture"):
        dense(tiny("dense.yaml"), 64)


OWN = """
from torch import nn
from moebench.models.contract import DenseTwin

class Silent(nn.Module):
    pass

class Own(nn.Module):
    @staticmethod
    def dense_twin(arguments):
        if not arguments["parts"]:
            return None
        return DenseTwin(lambda hidden: {"parts": 0, "wide": hidden}, 32)
"""


def test_a_custom_model_declares_its_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)

    def twin_of(name: str, **arguments: int) -> Experiment:
        network = {"class_path": f"own_models.{name}", "init_args": arguments}
        return dense(Experiment({"model": {"network": network, "router_rate": 0.5}}), 64)

    made = twin_of("Own", parts=4, wide=16).config["model"]
    assert made["network"] == {
        "class_path": "own_models.Own",
        "init_args": {"parts": 0, "wide": 64},
    }
    assert made["router_rate"] == 1.0
    with pytest.raises(ValueError, match=r"network=own_models.Own: has no mixture"):
        twin_of("Own", parts=0)
    described = "network=own_models.Silent: has no dense_twin, see moebench/models/contract.py"
    with pytest.raises(ValueError, match=described):
        twin_of("Silent")
    with pytest.raises(ValueError, match="network=none: has no dense_twin"):
        dense(Experiment({"model": {"class_path": "theirs.Module"}}), 64)


def test_a_dense_configuration_of_equal_cost_is_the_twin(tiny) -> None:
    made, written = twin(tiny("switch_8.yaml"), "active_flops").experiment, tiny("dense.yaml")
    costs = []
    for experiment in (made, written):
        model, data, _ = experiment.build(logger=False)
        data.setup("fit")
        costs.append(count_batch(model.eval().network, next(iter(data.val_dataloader()))))
    assert costs[0] == costs[1]


def test_a_twin_leaves_the_mixture_as_it_was(tiny) -> None:
    mixture = tiny("switch_8.yaml")
    before = mixture.hash
    assert dense(mixture, 48).hash != before
    assert mixture.hash == tiny("switch_8.yaml").hash
    assert mixture.config["model"]["network"]["init_args"]["shape"]["hidden"] != 48
