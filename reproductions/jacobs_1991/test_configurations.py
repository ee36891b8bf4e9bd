"""From a configuration to records: one per seed, the same after kills; errors in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl

from moebench.evidence.record_files import read
from moebench.experiment import ConfigurationError, Experiment, load
from moebench.run.job import Job
from moebench.run.worker import execute
from reproductions.jacobs_1991.replica_training import ReplicaTraining

CONFIG = f"""# A small run.
model:
  class_path: {ReplicaTraining.__module__}.ReplicaTraining
  init_args:
    system: {{class_path: Mixture, init_args: {{experts: 2, error: Likelihood}}}}
    step_sizes: [2, 8]
    seeds: 3
    max_epochs: 60
    epochs_per_step: 5
data:
  class_path: reproductions.jacobs_1991.vowels.Vowels
  init_args: {{coding: anti, train_speakers: 5, order: 1}}
trainer: {{max_steps: -1, val_check_interval: 2, accelerator: cpu}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def experiment(folder: Path) -> Experiment:
    return load([folder / "small.yaml"], seed=20)


@pytest.fixture(scope="module")
def whole(folder: Path, experiment: Experiment) -> Job:
    """An uninterrupted run."""
    job = Job("target", "profile", "arm", 20, experiment, folder / "whole")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    return job


def test_a_run_leaves_a_record_for_each_seed(whole: Job) -> None:
    assert [one.seed for one in read(whole.records_path)] == [20, 21, 22]
    for one in read(whole.records_path):
        assert one.metrics["step_8/epochs"] <= 60
        assert one.tokens == one.steps * 5 * 4 * 2
        assert (one.params_total, one.flops_per_token) == (12, 24)


class Killed(BaseException):
    """An exception that no handler catches, like a kill."""


class Kill(pl.Callback):
    """Stops a process in its n-th step, before that step has any effect on disk."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == self.step:
            raise Killed


def test_a_killed_run_leaves_the_same_records(whole: Job, tmp_path: Path) -> None:
    killed = replace(whole, folder=tmp_path / "killed")
    for step in (1, 7):
        with pytest.raises(Killed):
            execute(killed, [Kill(step)])
    assert killed.checkpoint_path.exists(), "nothing was interrupted in the middle"
    execute(killed, [])
    expected, found = (
        [(one.seed, one.status, one.steps, one.metrics) for one in job.records()]
        for job in (whole, killed)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model.init_args.system.init_args.experts", 0, "experts=0"),
        ("data.init_args.train_speakers", 70, "at most 76"),
        ("data.init_args.coding", "binary", "coding"),
    ],
)
def test_a_bad_configuration_is_one_line(folder: Path, key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        load([folder / "small.yaml"], {key: value}).build(logger=False)
    assert "\n" not in str(refused.value)
