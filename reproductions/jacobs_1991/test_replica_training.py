"""The runs of an arm under Lightning: until they arrive, diverge or are capped; resumed exactly."""

import logging
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from reproductions.jacobs_1991.networks import BackProp, Likelihood, Mixture
from reproductions.jacobs_1991.networks.system import System
from reproductions.jacobs_1991.networks.testing import CRITERION, same, small, trained
from reproductions.jacobs_1991.population import Population, whole_set
from reproductions.jacobs_1991.vowels import Vowels

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


def make(seed: int, system: System, step_sizes: list[float], **arguments: Any) -> Population:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(seed, verbose=False)
    return Population(system, step_sizes, **arguments)


def fit(population: Population, data: pl.LightningDataModule, **settings: Any) -> pl.Trainer:
    path = settings.pop("ckpt_path", None)
    trainer = pl.Trainer(**{**QUIET, **settings})
    trainer.fit(population, datamodule=data, ckpt_path=path, weights_only=True)
    return trainer


def test_every_seed_is_trained_with_every_step_size() -> None:
    data = small("one_hot")
    population = make(3, BackProp(3), [0.5, 9.0], seeds=2, criterion=CRITERION, max_epochs=60)
    fit(population, data)
    runs = [(0.5, 3), (0.5, 4), (9.0, 3), (9.0, 4)]
    alone = trained(BackProp(3), runs, whole_set(data.train))
    assert same(population.copies.weights, alone.weights)
    assert population.results()["epochs"].tolist() == alone.epochs_S.tolist()


def test_the_length_of_a_step_changes_no_bit() -> None:
    tables = []
    for epochs_per_step in (1, 7, 100):
        ends = {"criterion": CRITERION, "max_epochs": 60, "epochs_per_step": epochs_per_step}
        population = make(0, BackProp(3), [2.0, 20.0], seeds=3, **ends)
        trainer = fit(population, small("one_hot"))
        tables.append(population.results() | population.copies.weights)
        assert trainer.global_step == 60 // epochs_per_step + 1
    assert all(same(tables[0], table) for table in tables)
    assert tables[0]["epochs"].min() < 60 == tables[0]["epochs"].max()


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


def test_resumed_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    def population() -> Population:
        ends = {"criterion": CRITERION, "max_epochs": 100, "epochs_per_step": 5}
        return make(4, Mixture(3, Likelihood()), [0.5, 5.0], seeds=5, **ends)

    data, whole = small("one_hot"), population()
    fit(whole, data)
    results = whole.results() | whole.copies.weights
    assert results["epochs"].lt(30).sum() > 1, "some have ended when it is cut for the last time"
    assert results["epochs"].gt(30).sum() > 1, "and some have not"
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, save_on_train_epoch_end=False)
    cut = {"callbacks": [keep], "enable_checkpointing": True, "val_check_interval": 2}
    fit(population(), data, max_steps=6, **cut)
    for step in (2, 6):
        path = tmp_path / f"step={step}.ckpt"
        assert torch.load(path, weights_only=True)["global_step"] == step
        resumed = population()
        fit(resumed, data, ckpt_path=path)
        assert same(resumed.results() | resumed.copies.weights, results)
        assert resumed.outcomes() == whole.outcomes()


def test_a_run_cut_short_says_how_far_it_came() -> None:
    population = make(0, BackProp(2), [0.01], seeds=2, epochs_per_step=10)
    fit(population, small(), max_steps=3)
    outcome, _ = population.outcomes()
    assert (outcome.steps, outcome.metrics["step_0.01/reached"]) == (30, 0)


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
