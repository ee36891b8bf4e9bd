"""A custom LightningModule is used by class_path, and may train several seeds at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench.data.text import Text
from moebench.evidence.record_files import read
from moebench.evidence.replicas import ReplicaResult, combine, split
from moebench.experiment import ConfigurationError, Experiment, load
from moebench.experiment.lightning_cli import names_a_module
from moebench.run.check import checked
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.worker import execute
from moebench.testing import verdicts

MODULE = '''
import pytorch_lightning as pl
import torch
from moebench.evidence.replicas import ReplicaResult

class Plain(pl.LightningModule):
    """A parameter that shrinks."""
    def __init__(self, size: int = 2):
        super().__init__()
        self.number = torch.nn.Parameter(torch.ones(size))
    def training_step(self, batch, batch_idx):
        return self.number.square().sum()
    def validation_step(self, batch, batch_idx):
        self.log("valid/loss", self.number.square().sum(), logger=False)
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

class Several(Plain):
    """The same, reported as two seeds."""
    def replica_results(self):
        return [
            ReplicaResult(5, "finished", 3, {"final": 1.0}),
            ReplicaResult(6, "diverged", 1, {"other": 2.0}),
        ]
'''


@pytest.fixture
def own(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "their_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, **arguments: object) -> Experiment:
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"model: {{class_path: their_module.{name}, init_args: {arguments}}}\n")
        settings = {k: v for k, v in tiny.settings().items() if not k.startswith("model.")}
        return load([path], settings)

    return make


def job(experiment: Experiment, folder: Path) -> Job:
    return Job("target", "profile", "arm", 0, experiment, folder / "arm" / "seed_0")


def test_a_module_that_shares_no_batches_out_trains_on_one_device(own, tmp_path: Path) -> None:
    own("Plain", size=3)
    with pytest.raises(
        ConfigurationError, match=r"devices=2: model=their_module\.Plain does not sh"
    ):
        load([tmp_path / "Plain.yaml"], {"trainer.devices": 2})


def test_a_module_is_named_by_class_path(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("model: {class_path: x.Y}\n")
    plain = tmp_path / "b.yaml"
    plain.write_text("model: {warmup_steps: 3}\n")
    assert names_a_module([f"--config={path}"])
    assert names_a_module(["--config", str(path)])
    assert names_a_module([f"--config={plain}", f"--config={path}"])
    assert names_a_module(["--model=x.Y"])
    assert names_a_module(["--model.class_path=x.Y"])
    assert names_a_module({"model": {"class_path": "x.Y"}})
    assert not names_a_module([f"--config={plain}", "--config", str(tmp_path / "none.yaml")])
    assert not names_a_module(["--model.warmup_steps=3"])
    assert not names_a_module({"model": {"network": {"class_path": "x.Y"}}})


def test_a_custom_module_trains_and_is_recorded(own, tmp_path: Path) -> None:
    record = execute(job(own("Plain", size=3), tmp_path), [])
    assert (record.status, record.steps, record.params_total) == ("finished", 4, 3)
    # Each of the four steps multiplies by 1 - 2 x 0.1.
    assert record.metrics["valid/loss"] == pytest.approx(3 * 0.8**8)


def test_data_without_what_a_record_needs_are_refused(own, monkeypatch) -> None:
    experiment = own("Plain")
    monkeypatch.delattr(Text, "tokens_per_batch")
    with pytest.raises(
        ValueError, match=r"data=Text: has no tokens_per_batch .*, see moebench/data/contract"
    ):
        checked(experiment)


DATA = """
import pytorch_lightning as pl

class Seedless(pl.LightningDataModule):
    def __init__(self, vocabulary: int = 300):
        super().__init__()

class Wordless(pl.LightningDataModule):
    def __init__(self, seed: int = 0):
        super().__init__()
"""


@pytest.mark.parametrize(("name", "lacks"), [("Seedless", "seed"), ("Wordless", "vocabulary")])
def test_data_that_lack_an_argument_are_refused(
    name: str, lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_data.py").write_text(DATA)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "own.yaml"
    path.write_text(f"model: {{network: Decoder}}\ndata: their_data.{name}\n")
    line = rf"own.yaml: data=their_data.{name}: takes no argument {lacks}, see moebench/data/"
    with pytest.raises(ConfigurationError, match=line):
        load([path])


def test_a_misspelt_argument_is_reported_in_one_line(own) -> None:
    with pytest.raises(ConfigurationError, match="'sise' is not accepted; the nearest: size"):
        own("Plain", sise=3)


def test_each_replica_leaves_a_record(own, tmp_path: Path) -> None:
    experiment = own("Several")
    options = {**experiment.config["trainer"], "accumulate_grad_batches": 2}
    made = job(Experiment({**experiment.config, "trainer": options}), tmp_path)
    record = execute(made, [])
    assert record.metrics == {"final": 1.0, "other": 2.0}
    first, second = made.records()
    assert (first.seed, first.status, first.steps, first.metrics) == (
        5, "finished", 3, {"final": 1.0}
    )  # fmt: skip
    assert first.tokens == 3 * 2 * 8 * 32, "two batches an update"
    assert (second.seed, second.status) == (6, "diverged")
    assert first.config_hash == made.experiment.hash
    assert run_all([made], Execution(), lambda *_: None) == [first, second], "nothing is rerun"
    assert read(made.records_path) == [first, second]


def test_replicas_share_the_time_and_add_up_to_the_run() -> None:
    run = verdicts.run("a", seconds=6.0)
    came = [
        ReplicaResult(1, "finished", 10, {"m": 1.0}),
        ReplicaResult(2, "finished", 30, {"m": 3.0, "n": 5.0}),
    ]
    both = split(run, came, tokens=400)
    assert [one.tokens for one in both] == [4000, 12000]
    assert [one.seconds for one in both] == [3.0, 3.0]
    assert both[0].seconds_per_step == pytest.approx(0.3)
    whole = combine(run, both)
    assert (whole.steps, whole.tokens, whole.metrics) == (40, 16000, {"m": 2.0, "n": 5.0})
    assert whole.status == "finished"
    lost = [replace(one, status="diverged") for one in both]
    assert combine(run, lost).status == "diverged"
