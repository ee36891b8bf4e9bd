"""Many runs at once: each as if alone, until it arrives, diverges or is capped; resumed exactly."""

import logging
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from moebench.experiment import ConfigurationError, load
from moebench.records import read
from moebench.run.job import Job
from moebench.run.worker import execute
from reproductions.jacobs_1991.networks import (
    BackProp,
    Competitive,
    Cooperative,
    Likelihood,
    Mixture,
    copies,
)
from reproductions.jacobs_1991.networks.outcome import by_seed
from reproductions.jacobs_1991.networks.system import System
from reproductions.jacobs_1991.population import Population
from reproductions.jacobs_1991.vowels import Vowels

SYSTEMS = {
    "one": lambda: Mixture(1, Likelihood()),
    "likelihood": lambda: Mixture(4, Likelihood()),
    "competitive": lambda: Mixture(3, Competitive()),
    "cooperative": lambda: Mixture(4, Cooperative()),
    "backprop": lambda: BackProp(6),
}
QUIET = {
    "max_steps": -1,
    "max_epochs": -1,
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
    "val_check_interval": 10,
}
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pytorch_lightning")


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """Tests change how many threads torch uses; the next test must not notice."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def make(seed: int, system: System, step_sizes: list[float], **arguments: Any) -> Population:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(seed, verbose=False)
    return Population(system, step_sizes, **arguments)


def fit(population: Population, data: pl.LightningDataModule, **settings: Any) -> pl.Trainer:
    path = settings.pop("ckpt_path", None)
    trainer = pl.Trainer(**{**QUIET, **settings})
    trainer.fit(population, datamodule=data, ckpt_path=path, weights_only=True)
    return trainer


def small(**arguments: Any) -> Vowels:
    """Five speakers and three vowels: 30 cases, which do not fill whole registers."""
    arguments = {"vowels": ("iy", "ih", "aa"), "train_speakers": 5, **arguments}
    return Vowels(coding=arguments.pop("coding", "anti"), test_speakers=4, **arguments)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two tables are equal to the last bit, what is no number included."""
    return one.keys() == other.keys() and all(
        torch.equal(one[name].nan_to_num(nan=-1), other[name].nan_to_num(nan=-1)) for name in one
    )


def plain(system: System, step: float, seed: int, data: Vowels, most: int) -> tuple[int, Any]:
    """One run by autograd, without padding or company: the oracle.

    Small steps only: at large ones the roundings of any two programs grow apart.
    """
    x_TD, target_TC = data.train.x_TD, data.train.target_TC
    x_DT = torch.cat([x_TD, torch.ones_like(x_TD[:, :1])], dim=1).T
    weights = system.init([seed], 0.5, x_TD.shape[1], target_TC.shape[1])
    for epoch in range(most + 1):
        for weight in weights.values():
            weight.requires_grad_()
        answer = system.forward(weights, x_DT)
        squared_CT = (answer.blend_SCT[0] - target_TC.T).square()
        if squared_CT.mean() <= 0.08 or epoch == most:
            return epoch, weights
        value = squared_CT.sum(dim=0).mean() / 2
        if isinstance(system, Mixture):
            value = system.error.value(answer, target_TC.T).mean()
        slopes = torch.autograd.grad(value, list(weights.values()))
        weights = {
            name: (weight - step * slope).detach()
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
    raise AssertionError


@pytest.mark.parametrize("coding", ["anti", "one_hot"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_each_run_is_plain_gradient_descent(name: str, coding: str) -> None:
    system, data = SYSTEMS[name](), small(coding=coding)
    population = make(3, system, [0.5, 2.0], seeds=2, max_epochs=250)
    fit(population, data)
    epochs = population.results()["epochs"].tolist()
    for number, (step, seed) in enumerate([(0.5, 3), (0.5, 4), (2.0, 3), (2.0, 4)]):
        expected, weights = plain(system, step, seed, data, most=250)
        assert epochs[number] == expected
        for key, weight in weights.items():
            found = population.copies.weights[key][number : number + 1]
            torch.testing.assert_close(found, weight.detach(), atol=1e-7, rtol=0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("coding", ["anti", "one_hot"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_company_changes_no_bit(
    name: str, coding: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(threads)
    arguments = {"max_epochs": 150, "epochs_per_step": 40}
    together = make(0, SYSTEMS[name](), [0.5, 3.0, 8.0, 40.0], seeds=9, **arguments)
    fit(together, small(coding=coding))
    everyone = together.results() | together.copies.weights
    monkeypatch.setattr(copies, "BLOCK", 700)  # other neighbours, other places in memory
    for seed, size in ((0, 3.0), (5, 40.0), (8, 0.5)):
        alone = make(seed, SYSTEMS[name](), [size], seeds=1, **arguments)
        fit(alone, small(coding=coding))
        number = together.step_sizes.index(size) * 9 + seed
        own = {key: column[number : number + 1] for key, column in everyone.items()}
        assert same(alone.results() | alone.copies.weights, own), (seed, size)
    assert torch.get_num_threads() == threads


def test_threads_change_no_bit() -> None:
    # A block of 455 copies is 65520 numbers, which two threads would cut within a register.
    tables = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        population = make(0, Mixture(3, Likelihood()), [5.0], seeds=455, max_epochs=150)
        fit(population, small(train_speakers=7))
        tables.append(population.results() | population.copies.weights)
    assert same(*tables)


def test_the_length_of_a_step_changes_no_bit() -> None:
    tables = []
    for epochs_per_step in (1, 7, 50, 1000):
        population = make(
            0, BackProp(3), [5.0, 20.0], seeds=3, max_epochs=330, epochs_per_step=epochs_per_step
        )
        trainer = fit(population, small())
        tables.append(population.results() | population.copies.weights)
        assert trainer.global_step == 330 // epochs_per_step + 1
    assert all(same(tables[0], table) for table in tables)
    assert 330 in tables[0]["epochs"]


def test_the_papers_task_in_the_papers_range() -> None:
    # Table 1 has 1124 +- 23 epochs; any correct reading ends within the same order.
    population = make(0, Mixture(4, Likelihood()), [8.0], seeds=4)
    fit(population, Vowels(coding="anti"), val_check_interval=1000)
    results = population.results()
    assert results["reached"].tolist() == [1.0] * 4
    assert results["epochs"].gt(500).all()
    assert results["epochs"].lt(2500).all()
    assert results["error/train"].le(0.08).all()
    assert results["error/train"].gt(0.0795).all(), "stopped at the first epoch that arrived"
    assert results["accuracy/train"].gt(0.85).all()
    assert set(results["active"].tolist()) <= {2.0, 3.0}


def test_a_run_may_arrive_before_its_first_update() -> None:
    population = make(0, Mixture(2, Likelihood()), [1.0], seeds=3, criterion=0.9)
    fit(population, small())
    assert population.results()["epochs"].tolist() == [0, 0, 0]
    assert [outcome.steps for outcome in population.outcomes()] == [0, 0, 0]


def test_the_cap_ends_a_run() -> None:
    population = make(
        0, BackProp(1), [0.001], seeds=2, criterion=1e-6, max_epochs=33, epochs_per_step=11
    )
    trainer = fit(population, small())
    assert trainer.global_step == 4, "the last one only finds that the cap is met"
    outcome, _ = population.outcomes()
    assert outcome.status == "finished"
    assert outcome.steps == 33
    assert outcome.metrics["step_0.001/reached"] == 0
    assert outcome.metrics["step_0.001/epochs"] == 33


def test_divergence_is_recorded_and_ends() -> None:
    arguments = {"initial_range": 1e-4, "seeds": 2, "max_epochs": 40}
    data = small()
    data.train = data.train._replace(x_TD=1000 * data.train.x_TD)  # in hertz: gradients of hundreds
    population = make(0, Mixture(4, Likelihood()), [1e-6, 1e308], **arguments)
    trainer = fit(population, data)
    assert trainer.global_step == 1
    results = population.results()
    assert results["diverged"].tolist() == [0, 0, 1, 1]
    assert results["epochs"][2:].max() < 40
    assert isfinite(trainer.callback_metrics["valid/loss"])
    outcome, _ = population.outcomes()
    assert outcome.status == "finished", "one step size was not too large"
    assert outcome.metrics["step_1e+308/diverged"] == 1
    assert "step_1e+308/error/train" not in outcome.metrics
    assert "step_1e-06/error/train" in outcome.metrics
    alone = make(0, Mixture(4, Likelihood()), [1e308], **arguments)
    fit(alone, data)
    assert {outcome.status for outcome in alone.outcomes()} == {"diverged"}


def test_who_has_ended_leaves_the_batch() -> None:
    sizes: list[int] = []

    class Watched(BackProp):
        def gradient(self, weights: Any, answer: Any, cases: Any) -> Any:
            sizes.append(len(answer.blend_SCT))
            return super().gradient(weights, answer, cases)

    population = make(0, Watched(2), [5.0], seeds=6, criterion=0.17)
    fit(population, small())
    epochs = population.results()["epochs"].long()
    assert epochs.unique().numel() > 3
    assert sizes == [int((epochs > epoch).sum()) for epoch in range(int(epochs.max()))]


def test_resumed_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    def population() -> Population:
        return make(
            4, Mixture(3, Likelihood()), [2.0, 9.0], seeds=5, max_epochs=400, epochs_per_step=20
        )

    whole = population()
    fit(whole, small())
    results = whole.results() | whole.copies.weights
    assert results["epochs"].lt(300).sum() > 1, "some have ended when it is cut for the third time"
    assert results["epochs"].gt(300).sum() > 1, "and some have not"
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, save_on_train_epoch_end=False)
    cut = {"callbacks": [keep], "enable_checkpointing": True, "val_check_interval": 5}
    fit(population(), small(), max_steps=15, **cut)
    for step in (5, 10, 15):
        path = tmp_path / f"step={step}.ckpt"
        assert torch.load(path, weights_only=True)["global_step"] == step
        resumed = population()
        fit(resumed, small(), ckpt_path=path)
        assert same(resumed.results() | resumed.copies.weights, results)
        assert resumed.outcomes() == whole.outcomes()


def test_a_run_cut_short_says_how_far_it_came() -> None:
    population = make(0, BackProp(2), [0.01], seeds=2, epochs_per_step=10)
    fit(population, small(), max_steps=3)
    outcome, _ = population.outcomes()
    assert (outcome.steps, outcome.metrics["step_0.01/reached"]) == (30, 0)


def test_outcomes_by_hand() -> None:
    results = {
        "epochs": torch.tensor([10.0, 20.0, 3.0, 40.0]),
        "diverged": torch.tensor([0.0, 1.0, 1.0, 1.0]),
        "error/train": torch.tensor([0.5, float("nan"), float("nan"), float("inf")]),
    }
    first, second = by_seed([7, 8], [0.5, 8.0], results)
    assert (first.seed, first.status, first.steps) == (7, "finished", 13)
    assert first.metrics == {
        **{"step_0.5/epochs": 10.0, "step_8/epochs": 3.0},
        **{"step_0.5/diverged": 0.0, "step_8/diverged": 1.0, "step_0.5/error/train": 0.5},
    }
    assert (second.seed, second.status, second.steps) == (8, "diverged", 60)
    assert "step_8/error/train" not in second.metrics


def test_metrics_of_a_record() -> None:
    population = make(2, Mixture(2, Likelihood()), [0.5, 8], seeds=2, max_epochs=5)
    fit(population, small())
    outcomes = population.outcomes()
    assert [outcome.seed for outcome in outcomes] == [2, 3]
    names = ("epochs", "reached", "diverged", "error/train", "accuracy/train", "accuracy/test")
    assert set(outcomes[0].metrics) == {
        f"step_{size}/{name}" for size in ("0.5", "8") for name in (*names, "active", "effective")
    }
    network = make(2, BackProp(2), [0.5], seeds=1, max_epochs=5)
    fit(network, small())
    assert set(network.outcomes()[0].metrics) == {f"step_0.5/{name}" for name in names}


def test_costs_are_those_of_one_copy() -> None:
    population = make(0, Mixture(4, Likelihood()), [1.0, 2.0], seeds=7)
    cost = population.cost(Vowels().test)
    assert (cost.params_total, cost.params_active, cost.flops_per_token) == (24, 24, 48)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step_sizes": []}, r"step_sizes=\[\]: at least one, and none twice"),
        ({"step_sizes": [8, 8.0]}, r"step_sizes=\[8, 8\.0\]: at least one, and none twice"),
        ({"step_sizes": [3.0, -1.0]}, r"step_sizes=-1: must be a positive number"),
        ({"step_sizes": [0.0]}, r"step_sizes=0: must be a positive number"),
        ({"step_sizes": [float("nan")]}, r"step_sizes=nan: must be a positive number"),
        ({"step_sizes": [1.0, float("inf")]}, r"step_sizes=inf: must be a positive number"),
        ({"initial_range": 0.0}, r"initial_range=0: must be a positive number"),
        ({"criterion": 0.0}, r"criterion=0: must be a positive number"),
        ({"criterion": -0.1}, r"criterion=-0\.1: must be a positive number"),
        ({"seeds": 0}, r"seeds=0: must be at least 1"),
        ({"max_epochs": 0}, r"max_epochs=0: must be at least 1"),
        ({"epochs_per_step": 0}, r"epochs_per_step=0: must be at least 1"),
    ],
)
def test_refusals(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        Population(**{"system": BackProp(2), "step_sizes": [1.0], **arguments})
    assert "\n" not in str(refused.value)


CONFIGS = Path(__file__).parents[2] / "configs" / "jacobs_1991"
CONFIG = f"""# A small population.
model:
  class_path: {Population.__module__}.Population
  init_args:
    system: {{class_path: Mixture, init_args: {{experts: 2, error: Likelihood}}}}
    step_sizes: [2, 8]
    seeds: 3
    max_epochs: 60
data:
  class_path: reproductions.jacobs_1991.vowels.Vowels
  init_args: {{coding: anti, train_speakers: 5, order: 1}}
trainer: {{max_steps: -1, val_check_interval: 1, accelerator: cpu}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    return path


def test_a_configuration_leaves_a_record_for_each_seed(config: Path, tmp_path: Path) -> None:
    experiment = load([config], seed=20)
    job = Job("target", "profile", "arm", 20, experiment, tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    assert [one.seed for one in read(job.records_path)] == [20, 21, 22]
    for one in read(job.records_path):
        assert one.metrics["step_8/epochs"] <= 60
        assert one.tokens == one.steps * 5 * 4 * 2
        assert (one.params_total, one.flops_per_token) == (12, 24)


class Killed(BaseException):
    """What no handler of failures catches, as a kill."""


class Kill(pl.Callback):
    """Ends a process while it is in its n-th step, before that has had any effect on disk."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == self.step:
            raise Killed


def test_a_killed_run_leaves_the_same_records(config: Path, tmp_path: Path) -> None:
    settings = {"model.init_args.epochs_per_step": 5, "trainer.val_check_interval": 2}
    experiment = load([config], settings, seed=3)

    def job(name: str) -> Job:
        return Job("target", "profile", "arm", 3, experiment, tmp_path / name)

    execute(job("whole"), [])
    for step in (1, 3, 7):
        with pytest.raises(Killed):
            execute(job("killed"), [Kill(step)])
    assert job("killed").checkpoint_path.exists(), "nothing was interrupted in the middle"
    execute(job("killed"), [])
    whole, killed = (
        [(one.seed, one.status, one.steps, one.metrics) for one in job(name).records()]
        for name in ("whole", "killed")
    )
    assert len(whole) == 3
    assert killed == whole


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_trains_and_records_every_seed(path: Path, tmp_path: Path) -> None:
    settings = {"model.init_args.seeds": 2, "model.init_args.max_epochs": 60}
    job = Job("target", "profile", path.stem, 7, load([path], settings, 7), tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    assert [one.seed for one in job.records()] == [7, 8]
    assert record.params_total > 0
    assert record.tokens == 400 * record.steps


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model.init_args.system.init_args.experts", 0, "experts=0"),
        ("model.init_args.seeds", 0, "seeds=0"),
        ("data.init_args.vowels", ["iy", "a"], "vowels=a"),
        ("data.init_args.train_speakers", 70, "at most 76"),
        ("data.init_args.coding", "binary", "coding"),
    ],
)
def test_a_bad_configuration_is_one_line(config: Path, key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        load([config], {key: value}).build(logger=False)
    assert "\n" not in str(refused.value)
