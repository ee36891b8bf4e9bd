"""What the quality benchmark trains for an entry, and which entries it refuses."""

import math
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import leaderboard, quality
from benchmarks.leaderboard import sheet
from benchmarks.ranking import places
from moebench.evidence.record_files import write_all
from moebench.experiment import Experiment, load
from moebench.moe.layer import MoELayer
from moebench.moe.losses import ThresholdGap
from moebench.moe.routers import ROUTERS
from moebench.training.cost import parameters

from .fakes import run, runs

UNSET = dict.fromkeys(("data", "field", "device", "precision", "name"))
NOTHING = {**UNSET, "engine": "local", "time_limit": math.inf}  # that a person chose


def build(settings: dict[str, object]) -> torch.nn.Module:
    experiment: Experiment = load([quality.DENSE], settings)
    return experiment.build(logger=False)[0]


OF_ALL = {"all_experts": "AllExperts", "gumbel_softmax": "GumbelSoftmax"}  # every expert answers
TAKE_PART = [name for name in ROUTERS if name not in (*OF_ALL, "expert_choice")]


@pytest.mark.parametrize("name", TAKE_PART)
def test_every_router_has_the_parameters_of_eight_experts(name: str) -> None:
    """Not counting the router itself."""
    entry = quality.entry_of(f"moebench.moe.routers.{ROUTERS[name].__name__}")
    model = build(dict(entry.settings))
    layers = [layer for layer in model.modules() if isinstance(layer, MoELayer)]
    assert [parameters(layer.experts) for layer in layers] == [8 * 2 * 64 * 256] * 2
    tuned = [dimension.name for dimension in entry.space]
    balanced = name not in ("balanced_hash", "batchwise", "hash_table", "hashed", "random")
    assert tuned == ["learning rate", "balance weight"][: 2 if balanced else 1]


@pytest.mark.parametrize("name", OF_ALL.values())
def test_a_router_that_chooses_all_experts_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"router=moebench.moe.routers.{name}: .* 64 of 64"):
        quality.entry_of(f"moebench.moe.routers.{name}")


def test_a_router_whose_validation_leaks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"router=.*ExpertChoice: .* in validation, too"):
        quality.entry_of("moebench.moe.routers.ExpertChoice")


def test_two_levels_with_two_choices_use_four_experts() -> None:
    entry = quality.entry_of("moebench.moe.routers.Hierarchical")
    sparse: Any = entry.settings["model.network.init_args.sparse"]
    assert sparse["router"]["init_args"] == {"num_experts": 32}
    assert sparse["experts"]["init_args"] == {"hidden": 64}


def test_thresholds_are_learned() -> None:
    entry = quality.entry_of("moebench.moe.routers.Batchwise")
    model = build(dict(entry.settings))
    assert [type(term.loss) for term in model.losses.terms] == [ThresholdGap]


@pytest.mark.parametrize(
    "class_path", ["nowhere.Router", "moebench.moe.routers.Swich", "Switch", "math.pi"]
)
def test_an_unknown_router_is_refused(class_path: str) -> None:
    with pytest.raises(ValueError, match=f"router={class_path}: no such class"):
        quality.entry_of(class_path)


def test_a_router_with_other_required_arguments_is_refused() -> None:
    with pytest.raises(ValueError, match=r"router=torch.nn.Bilinear: cannot be created"):
        quality.entry_of("torch.nn.Bilinear")


THEIRS = '''
from torch import nn
from moebench.moe.routers import Switch as Ours

class Broken(nn.Module):
    """A router with a fault."""
    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
    def forward(self, x_TD):
        raise RuntimeError("broken")

class TheirSwitch(Ours):
    """A router."""

def Switch(dim: int, num_experts: int) -> Ours:
    """A factory with the name of a router; a class would be found by other tests as a duplicate."""
    return Ours(dim, num_experts)
'''


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third-party package."""
    (tmp_path / "their_routers.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("theirs")
def test_broken_code_is_refused() -> None:
    name = "their_routers.Broken"
    with pytest.raises(ValueError, match=f"router={name}: cannot be created and used: broken"):
        quality.entry_of(name)


@pytest.mark.usefixtures("theirs")
def test_a_router_of_the_same_name_is_another_entry() -> None:
    names = ("moebench.moe.routers.Switch", "their_routers.Switch")
    assert [quality.entry_of(name).name for name in names] == ["Switch", "their_routers.Switch"]


@pytest.fixture
def command(
    tmp_path: Path, small_text: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Runs the benchmark with the dense model, little training, and further arguments."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quality, "ROUTERS", {})
    monkeypatch.setattr(quality, "VALID_BATCHES", 2)
    monkeypatch.setattr(leaderboard, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(leaderboard, "RECORDS", tmp_path / "quality.jsonl")
    given = ["--steps", "4", "--points", "1", "--seeds", "1", "--workers", "1", "--no-mlflow"]
    given += ["--root", str(tmp_path / "runs"), "--data", str(small_text)]

    def run_with(*further: str) -> None:
        monkeypatch.setattr(sys, "argv", ["quality", *given, *further])
        quality.main()

    return run_with


@pytest.mark.usefixtures("theirs")
def test_from_the_command_to_the_table(command: Callable[..., None], capsys: Any) -> None:
    command("--router", "their_routers.TheirSwitch")
    head, _, *table = capsys.readouterr().out.splitlines()[-4:]
    assert head.split()[0] == "rank"
    assert {row.split("  ")[0] for row in table} <= {"1", "2", "1 to 2"}
    names = {
        name for row in table for name in ("dense", "their_routers.TheirSwitch") if name in row
    }
    assert len(names) == len(table) == 2


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (["--router", "nowhere.Router"], "router=nowhere.Router: no such class"),
        (["--save"], "not with --data"),
    ],
)
def test_a_refusal_comes_before_any_run(
    further: list[str], words: str, command: Callable[..., None], tmp_path: Path, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        command(*further)
    assert words in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_runs_of_an_earlier_best_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extended search has fresh seeds of two trials, and more seeds than requested."""
    (tmp_path / "sweep.json").write_text('{"best": 1}')
    records = [run(f"trial_{n}", seed, 3.0) for n in (0, 1) for seed in (0, 1000, 1001, 1002)]
    write_all(records, tmp_path / "results.jsonl")
    monkeypatch.setattr(quality, "search", lambda sweep, options: tmp_path)
    options = Namespace(steps=8, points=2, seeds=2, workers=1, root=tmp_path, **NOTHING)
    options.no_mlflow = True
    dense = quality.Entry("dense", {}, [quality.RATE])
    assert quality.sweep_of(dense, options).name == "quality_8_dense", "steps make another study"
    found = quality.judged(dense, options)
    assert [(one.arm, one.seed) for one in found] == [("trial_1", 1000), ("trial_1", 1001)]


def test_an_entry_without_finished_runs_keeps_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that its row also appears in the published table."""
    (tmp_path / "sweep.json").write_text('{"best": null}')
    records = [run(f"trial_{n}", 0, 0.0, status="diverged", metrics={}) for n in range(2)]
    write_all(records, tmp_path / "results.jsonl")
    monkeypatch.setattr(quality, "search", lambda sweep, options: tmp_path)
    options = Namespace(steps=8, points=2, seeds=2, workers=1, root=tmp_path, **NOTHING)
    options.no_mlflow = True
    found = quality.judged(quality.Entry("odd", {}, [quality.RATE]), options)
    assert [row[1] for row in sheet(places({**runs(dense=[3.0, 3.1]), "odd": found})).rows] == [
        "dense",
        "odd",
    ]
