"""The runs of an arm under Lightning: how they end, and that they resume exactly."""

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
from reproductions.jacobs_1991.replica_training import ReplicaTraining, whole_set
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


def make(seed: int, system: System, step_sizes: list[float], **arguments: Any) -> ReplicaTraining:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(seed, verbose=False)
    return ReplicaTraining(system, step_sizes, **arguments)


def fit(model: ReplicaTraining, data: pl.LightningDataModule, **settings: Any) -> pl.Trainer:
    path = settings.pop("ckpt_path", None)
    trainer = pl.Trainer(**{**QUIET, **settings})
    trainer.fit(model, datamodule=data, ckpt_path=path, weights_only=True)
    return trainer


def test_every_seed_is_trained_with_every_step_size() -> None:
    data = small("one_hot")
    model = make(3, BackProp(3), [0.5, 9.0], seeds=2, criterion=CRITERION, max_epochs=60)
    fit(model, data)
    runs = [(0.5, 3), (0.5, 4), (9.0, 3), (9.0, 4)]
    alone = trained(BackProp(3), runs, whole_set(data.train))
    assert same(model.replicas.weights, alone.weights)
    assert model.results()["epochs"].tolist() == alone.epochs_S.tolist()


def test_the_length_of_a_step_does_not_change_the_result() -> None:
    tables = []
    for epochs_per_step in (1, 7, 100):
        ends = {"criterion": CRITERION, "max_epochs": 60, "epochs_per_step": epochs_per_step}
        model = make(0, BackProp(3), [2.0, 20.0], seeds=3, **ends)
        trainer = fit(model, small("one_hot"))
        tables.append(model.results() | model.replicas.weights)
        assert trainer.global_step == 60 // epochs_per_step + 1
    assert all(same(tables[0], table) for table in tables)
    assert tables[0]["epochs"].min() < 60 == tables[0]["epochs"].max()


def test_the_papers_task_in_the_papers_range() -> None:
    # Table 1 has 1124 +- 23 epochs; any correct reading ends within the same order.
    model = make(0, Mixture(4, Likelihood()), [8.0], seeds=4)
    fit(model, Vowels(coding="anti"), val_check_interval=1000)
    results = model.results()
    assert results["reached"].tolist() == [1.0] * 4
    assert results["epochs"].gt(500).all()
    assert results["epochs"].lt(2500).all()
    assert results["error/train"].le(0.08).all()
    assert results["error/train"].gt(0.0795).all(), "stopped at the first epoch that met it"
    assert results["accuracy/train"].gt(0.85).all()
    assert set(results["active"].tolist()) <= {2.0, 3.0}


def test_a_run_may_meet_the_criterion_before_its_first_update() -> None:
    model = make(0, Mixture(2, Likelihood()), [1.0], seeds=3, criterion=0.9)
    fit(model, small())
    assert model.results()["epochs"].tolist() == [0, 0, 0]
    assert [result.steps for result in model.replica_results()] == [0, 0, 0]


def test_max_epochs_ends_a_run() -> None:
    model = make(
        0, BackProp(1), [0.001], seeds=2, criterion=1e-6, max_epochs=33, epochs_per_step=11
    )
    trainer = fit(model, small())
    assert trainer.global_step == 4, "the last step only notices that the limit is reached"
    result, _ = model.replica_results()
    assert result.status == "finished"
    assert result.steps == 33
    assert result.metrics["step_0.001/reached"] == 0
    assert result.metrics["step_0.001/epochs"] == 33


def test_divergence_is_recorded_and_ends() -> None:
    arguments = {"initial_range": 1e-4, "seeds": 2, "max_epochs": 40}
    data = small()
    data.train = data.train._replace(x_TD=1000 * data.train.x_TD)  # in hertz: gradients of hundreds
    model = make(0, Mixture(4, Likelihood()), [1e-6, 1e308], **arguments)
    trainer = fit(model, data)
    assert trainer.global_step == 1
    results = model.results()
    assert results["diverged"].tolist() == [0, 0, 1, 1]
    assert results["epochs"][2:].max() < 40
    assert isfinite(trainer.callback_metrics["valid/loss"])
    result, _ = model.replica_results()
    assert result.status == "finished", "one step size was not too large"
    assert result.metrics["step_1e+308/diverged"] == 1
    assert "step_1e+308/error/train" not in result.metrics
    assert "step_1e-06/error/train" in result.metrics
    alone = make(0, Mixture(4, Likelihood()), [1e308], **arguments)
    fit(alone, data)
    assert {result.status for result in alone.replica_results()} == {"diverged"}


def test_a_resumed_run_gives_the_same_result(tmp_path: Path) -> None:
    def model() -> ReplicaTraining:
        ends = {"criterion": CRITERION, "max_epochs": 100, "epochs_per_step": 5}
        return make(4, Mixture(3, Likelihood()), [0.5, 5.0], seeds=5, **ends)

    data, whole = small("one_hot"), model()
    fit(whole, data)
    results = whole.results() | whole.replicas.weights
    assert results["epochs"].lt(30).sum() > 1, "some have ended at the last interruption"
    assert results["epochs"].gt(30).sum() > 1, "some have not"
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, save_on_train_epoch_end=False)
    cut = {"callbacks": [keep], "enable_checkpointing": True, "val_check_interval": 2}
    fit(model(), data, max_steps=6, **cut)
    for step in (2, 6):
        path = tmp_path / f"step={step}.ckpt"
        assert torch.load(path, weights_only=True)["global_step"] == step
        resumed = model()
        fit(resumed, data, ckpt_path=path)
        assert same(resumed.results() | resumed.replicas.weights, results)
        assert resumed.replica_results() == whole.replica_results()


def test_an_interrupted_run_reports_its_progress() -> None:
    model = make(0, BackProp(2), [0.01], seeds=2, epochs_per_step=10)
    fit(model, small(), max_steps=3)
    result, _ = model.replica_results()
    assert (result.steps, result.metrics["step_0.01/reached"]) == (30, 0)


def test_metrics_of_a_record() -> None:
    model = make(2, Mixture(2, Likelihood()), [0.5, 8], seeds=2, max_epochs=5)
    fit(model, small())
    results = model.replica_results()
    assert [result.seed for result in results] == [2, 3]
    names = ("epochs", "reached", "diverged", "error/train", "accuracy/train", "accuracy/test")
    assert set(results[0].metrics) == {
        f"step_{size}/{name}" for size in ("0.5", "8") for name in (*names, "active", "effective")
    }
    network = make(2, BackProp(2), [0.5], seeds=1, max_epochs=5)
    fit(network, small())
    assert set(network.replica_results()[0].metrics) == {f"step_0.5/{name}" for name in names}


def test_costs_are_those_of_one_replica() -> None:
    model = make(0, Mixture(4, Likelihood()), [1.0, 2.0], seeds=7)
    cost = model.cost(Vowels().test)
    assert (cost.params_total, cost.params_active, cost.flops_per_token) == (24, 24, 48)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step_sizes": []}, r"step_sizes=\[\]: needs one or more, without repeats"),
        ({"step_sizes": [8, 8.0]}, r"step_sizes=\[8, 8\.0\]: needs one or more, without repeats"),
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
        ReplicaTraining(**{"system": BackProp(2), "step_sizes": [1.0], **arguments})
    assert "\n" not in str(refused.value)
