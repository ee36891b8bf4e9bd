"""The parts of a run: its history, its callbacks, its endings."""

import json
import math
import os
import signal
import sys
import time
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning import Callback
from torch import nn

from moebench.evidence.record_files import read, read_history
from moebench.models.output import Output
from moebench.run.callbacks import Diverged, RandomState, StopOnDivergence
from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.history import History
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.recording import pace, summary
from moebench.run.resumable import Kept, kept
from moebench.run.saving import Saving
from moebench.run.work_done import Work
from moebench.run.worker import execute


def test_a_history_leaves_out_what_json_cannot_hold(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.log_metrics({"train/loss": 1.5, "bad": math.nan, "worse": math.inf, "epoch": 0}, 3)
    history.log_metrics({"bad": math.nan}, 4)
    [line] = read_history(history.path)
    assert {key: line[key] for key in ("step", "train/loss")} == {"step": 3, "train/loss": 1.5}
    assert set(line) == {"step", "time", "train/loss"}
    assert abs(line["time"] - time.time()) < 60


def test_a_resumed_history_is_cut_at_the_checkpoint(tmp_path: Path) -> None:
    """By its length then, whatever steps its lines are of; never made longer than it is."""
    path = tmp_path / "history.jsonl"
    first = History(path)
    for step in (6, 7):  # of a module that steps more seldom than it logs
        first.log_metrics({"train/loss": float(step)}, step)
    first.log_metrics({"valid/loss": 9.0}, 2)
    written = path.stat().st_size
    first.log_metrics({"train/loss": 1.0}, 1)
    History(path, written + 10**6)
    assert len(read_history(path)) == 4
    History(path, written)
    kept = [(line["step"], "valid/loss" in line) for line in read_history(path)]
    assert kept == [(6, False), (7, False), (2, True)]


def test_a_validation_of_a_module_that_logs_by_itself_is_written_once(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.log_metrics({"valid/loss": 1.0, "val/acc": 0.5, "epoch": 0}, 7)  # as Lightning does
    history.log_metrics({"valid/loss": 1.0}, 8)
    lines = [{k: v for k, v in line.items() if k != "time"} for line in read_history(history.path)]
    assert lines == [{"step": 7, "val/acc": 0.5}, {"step": 8, "valid/loss": 1.0}]


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 0, "time": 1.0}\n{"step": 1, "ti')
    assert read_history(path) == [{"step": 0, "time": 1.0}]
    assert read_history(tmp_path / "none.jsonl") == []


def test_the_summary_has_the_curve_and_late_means() -> None:
    lines = [
        {"step": step, "train/loss": 10.0 - step, "route/dropped": step / 10, "load/0/0": 1.0}
        for step in range(10)
    ]
    lines[4]["route/max_over_mean"] = 2.0
    lines += [{"step": 5, "valid/loss": 4.0}, {"step": 10, "valid/loss": 3.0}]
    found = summary(lines, steps=10)
    assert found["valid/loss"] == 3.0
    assert found["valid/loss@5"] == 4.0
    assert found["valid/loss@10"] == 3.0
    # The last fifth of ten steps are the ninth and the tenth: lines 8 and 9.
    assert found["route/dropped"] == pytest.approx(0.85)
    assert found["train/loss"] == pytest.approx(1.5)
    assert found["last_tenth/route/dropped"] == pytest.approx(0.9), "the last line alone"
    assert found["route/max_over_mean@5"] == 2.0
    assert "last_tenth/train/loss" not in found
    assert not any(name.startswith("load/") for name in found)
    assert summary([], steps=0) == {}


def trained_for(work: Work, *pauses: float, rows: int = 4) -> None:
    batch = SimpleNamespace(target_BL=torch.zeros(rows, 3))
    for number, pause in enumerate(pauses):
        work.on_train_batch_start()
        time.sleep(pause)
        work.on_train_batch_end(None, None, None, batch, number)


def test_work_adds_up_and_goes_on() -> None:
    work = Work()
    work.load_state_dict({"rows": 28, "full": 4, "seconds": 5.0})
    trained_for(work, 0.02)
    assert work.tokens(per_batch=12) == 8 * 12
    assert 5.02 <= work.state_dict()["seconds"] < 5.5


def test_a_batch_that_is_not_full_counts_with_its_share() -> None:
    work = Work()
    trained_for(work, 0, 0)
    trained_for(work, 0, rows=1)
    assert work.tokens(per_batch=12) == (4 + 4 + 1) * 3
    trained_for(work, 0, rows=2)
    assert work.tokens(per_batch=12) == (4 + 4 + 1 + 2) * 3
    assert work.tokens(per_batch=10) == round((4 + 4 + 1 + 2) * 2.5)


def test_a_batch_that_is_not_full_counts_with_its_share_after_a_kill_too() -> None:
    before, after = Work(), Work()
    trained_for(before, 0, 0)
    after.load_state_dict(before.state_dict())
    trained_for(after, 0, rows=1)
    assert after.tokens(per_batch=12) == (4 + 4 + 1) * 3


def test_a_batch_without_sequences_counts_whole() -> None:
    work = Work()
    for number in range(3):
        work.on_train_batch_start()
        work.on_train_batch_end(None, None, None, {"x": torch.zeros(5)}, number)
    assert work.tokens(per_batch=50) == 150


def test_a_lap_is_the_mean_of_an_optimiser_step_since_the_last_one() -> None:
    work = Work()
    work.load_state_dict({"rows": 24, "full": 4, "seconds": 100.0})
    work.on_train_start(SimpleNamespace(global_step=3), None)
    trained_for(work, 0.01, 0.01, 0.03, 0.03)  # two batches a step
    assert 0.04 <= work.lap(5) < 0.4
    assert math.isnan(work.lap(5))


class Losses(Callback):
    """Notes the loss of every batch."""

    def __init__(self) -> None:
        self.of_batch: list[float] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, *_: object) -> None:
        accumulated = trainer.accumulate_grad_batches  # by which Lightning divides a loss
        self.of_batch.append(outputs["loss"].item() * accumulated)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_what_was_trained_on_is_counted_whatever_a_step_is(
    accumulate: int, tiny, tmp_path: Path
) -> None:
    settings = {
        "trainer.accumulate_grad_batches": accumulate,
        "trainer.val_check_interval": 2 * accumulate,
    }
    experiment, losses = tiny("dense.yaml", settings), Losses()
    job = Job("target", "profile", "arm", 0, experiment, tmp_path / "run")
    record = execute(job, [losses])
    batches = losses.of_batch
    assert record.steps == 4
    assert record.tokens == len(batches) * 8 * 32 == 4 * accumulate * 8 * 32
    lines = read_history(job.history_path)
    trained = [(line["step"], line["train/loss"]) for line in lines if "train/loss" in line]
    assert [step for step, _ in trained] == [0, 1, 2, 3]
    for step, loss in trained:
        of_step = batches[step * accumulate :][:accumulate]
        assert loss == pytest.approx(sum(of_step) / accumulate, rel=1e-6)
    # Two stretches of two steps each: together all the time that training took.
    stretches = [line["seconds/step"] for line in lines if "seconds/step" in line]
    assert 2 * sum(stretches) == pytest.approx(record.seconds)
    assert record.seconds_per_step == pytest.approx(sum(stretches) / 2)


def test_the_pace_is_the_median_stretch() -> None:
    lines = [{"step": 0, "train/loss": 1.0}]
    assert pace(lines, mean=0.5) == 0.5
    lines += [
        {"step": step, "seconds/step": value} for step, value in ((2, 1.0), (4, 9.0), (6, 2.0))
    ]
    assert pace(lines, mean=0.5) == 2.0


def test_random_state_is_put_back_when_training_starts() -> None:
    torch.manual_seed(0)
    callback = RandomState()
    saved = callback.state_dict()
    expected = torch.rand(3)
    torch.manual_seed(99)
    callback.load_state_dict(saved)
    torch.rand(5)  # building the loaders may draw
    callback.on_train_start(None, None)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_run(loss: float) -> None:
    module = SimpleNamespace(device=torch.device("cpu"))
    trainer = SimpleNamespace(log_every_n_steps=10)
    stop = StopOnDivergence()
    ended = SimpleNamespace(callback_metrics={"valid/loss": torch.tensor(torch.inf)})
    with pytest.raises(Diverged):
        stop.on_validation_end(ended, None)
    stop.on_validation_end(SimpleNamespace(callback_metrics={"valid/loss": torch.tensor(1)}), None)
    stop.on_validation_end(SimpleNamespace(callback_metrics={}), None)
    stop.on_train_batch_end(trainer, module, {"loss": torch.tensor(1.0)}, None, 7)
    for nothing in (None, {}):  # of a module that steps its optimisers itself
        stop.on_train_batch_end(trainer, module, nothing, None, 7)
    with pytest.raises(Diverged):
        stop.on_train_batch_end(trainer, module, {"loss": torch.tensor(loss)}, None, 7)


class Explodes(nn.Module):
    """A model that ends as its constructor is told to."""

    def __init__(self, vocabulary: int, how: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(vocabulary))
        self.how = how
        self.calls = 0

    def forward(self, batch) -> Output:
        self.calls += 1
        prediction = (1 * self.weight).expand(*batch.input_BL.shape, -1)
        if self.training and self.calls > 2:
            if self.how == "memory":
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 TB")
            if self.how == "bug":
                raise KeyError("a bug")
            if self.how == "draw":  # as a step of no finite length leaves the weights
                self.weight.data.fill_(math.nan)
                self.weight.softmax(dim=-1).multinomial(1)
            prediction = prediction * math.nan
        return Output(prediction, [])


def exploding(tiny, how: str, folder: Path) -> Job:
    network = {"class_path": f"{__name__}.Explodes", "init_args": {"how": how}}
    experiment = tiny("dense.yaml")
    config = json.loads(json.dumps(experiment.config))
    config["model"]["network"] = network
    return Job("target", "profile", how, 0, type(experiment)(config), folder)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest imports this file under a name that a configuration cannot hold."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


@pytest.mark.parametrize(
    ("how", "status"),
    [("nan", "diverged"), ("draw", "diverged"), ("memory", "out_of_memory"), ("bug", "failed")],
)
def test_every_ending_is_a_record(tiny, tmp_path: Path, how: str, status: str) -> None:
    job = exploding(tiny, how, tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == status, error.read_text() if error.exists() else ""
    assert read(job.record_path) == [record]
    assert error.exists() == (how != "nan")
    # What diverged or ran out of memory is a result; what failed is made again.
    assert (job.result() is None) == (status == "failed")


FUNCTIONS = """
def one():
    return {"a": 1.5}

def seeds():
    return {3: {"a": 1.0}, 4: {"a": 2.0}}

def broken():
    raise RuntimeError("no such luck")
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "their_functions.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str) -> Job:
        function = Function(f"their_functions:{name}")
        return Job("target", "quick", "it", 0, function, tmp_path / name / "seed_0")

    return make


def test_a_function_is_a_record_without_training(call) -> None:
    job = call("one")
    record = execute(job, [])
    assert (record.status, record.steps, record.seed, record.metrics) == (
        "finished", 0, 0, {"a": 1.5}
    )  # fmt: skip
    assert job.records() == [record]
    assert job.result() == record


def test_a_function_may_have_seeds(call) -> None:
    job = call("seeds")
    assert execute(job, []).metrics == {"a": 1.5}
    assert [(one.seed, one.metrics["a"]) for one in job.records()] == [(3, 1.0), (4, 2.0)]


def test_a_function_that_breaks_is_a_failed_record(call) -> None:
    job = call("broken")
    assert execute(job, []).status == "failed"
    assert "no such luck" in (job.folder / "error.txt").read_text()
    assert job.result() is None, "it is called again the next time"


def test_a_run_whose_workers_are_killed_twice_is_failed_and_stops_no_other(
    tiny, tmp_path: Path
) -> None:
    endless = {"trainer.max_steps": 100_000, "trainer.val_check_interval": 1000}
    jobs = [
        Job("target", "profile", name, 0, tiny("dense.yaml", settings), tmp_path / name)
        for name, settings in {"good": {}, "gone": endless}.items()
    ]
    victims: list[int] = []

    def watch(*_: object) -> None:
        begun = (tmp_path / "gone" / "config.json").exists()
        workers = sorted(active_children(), key=lambda p: int(p.name.rpartition("-")[2]))
        if begun and len(victims) < 2 and workers[-1].pid not in victims:
            victims.append(workers[-1].pid)
            os.kill(victims[-1], signal.SIGKILL)

    records = {record.arm: record for record in run_all(jobs, Execution(2), watch)}
    assert len(victims) == 2
    assert records["good"].status == "finished"
    assert records["gone"].status == "failed"
    assert "exit code -9" in (tmp_path / "gone" / "error.txt").read_text()


def test_an_examination_stands_in_the_record_whenever_the_run_was_killed(
    tiny, tmp_path: Path
) -> None:
    experiment = tiny("mixtral_8.yaml")
    job = Job("target", "profile", "arm", 0, experiment, tmp_path / "run", True)
    record = execute(job, [])
    found = {name: value for name, value in record.metrics.items() if name.startswith("analysis/")}
    assert {name.split("/")[1] for name in found} == {"0", "1"}
    assert "analysis/1/repeats_disordered" in found
    lines = [line for line in read_history(job.history_path) if "analysis/0/repeats" in line]
    assert [line["step"] for line in lines] == [4]
    # Killed between the last checkpoint and the record: nothing is validated again.
    job.record_path.unlink()
    again = execute(job, [])
    assert {name: again.metrics[name] for name in found} == found


def test_a_dense_twin_is_not_examined(tiny, tmp_path: Path) -> None:
    settings = {"model.network.init_args.sparse": None}
    experiment = tiny("mixtral_8.yaml", settings)
    record = execute(Job("target", "profile", "arm", 0, experiment, tmp_path / "run"), [])
    assert record.status == "finished"
    assert not any(name.startswith("analysis/") for name in record.metrics)


GROUP = "model.network.init_args.sparse.router.init_args.capacity.group"


@pytest.mark.parametrize(("group", "leaks"), [(None, "other sequences"), (32, "")])
def test_a_record_says_what_leaked_and_one_setting_ends_it(
    tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture, group: int | None, leaks: str
) -> None:
    experiment = tiny("switch_8.yaml", {} if group is None else {GROUP: group})
    record = execute(Job("target", "profile", "arm", 0, experiment, tmp_path / "run"), [])
    assert (record.status, record.leaks) == ("finished", leaks)
    told = [line for line in caplog.messages if "a causal model does not have" in line]
    assert len(told) == bool(leaks)
    assert all("set capacity.group=32" in line for line in told)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"max_steps": 5, "val_check_interval": 3}, 5),
        # A pass of five batches: validations at the second and the fourth of each.
        ({"max_steps": 6, "val_check_interval": 2, "limit_train_batches": 5}, 6),
        ({"max_steps": -1, "max_epochs": 1, "limit_train_batches": 5}, 5),
    ],
)
def test_the_last_validation_is_of_the_last_step(
    options: dict[str, int], steps: int, tiny, tmp_path: Path
) -> None:
    settings = {f"trainer.{name}": value for name, value in options.items()}
    job = Job("target", "profile", "arm", 0, tiny("dense.yaml", settings), tmp_path / "run", True)
    record = execute(job, [])
    assert record.metrics["valid/loss"] == record.metrics[f"valid/loss@{steps}"]
    assert record.steps == torch.load(job.checkpoint_path)["global_step"] == steps


def test_a_checkpoint_waits_for_its_time_but_for_the_last(tmp_path: Path) -> None:
    saved: list[int] = []
    trainer = SimpleNamespace(max_steps=40, global_step=0, should_stop=False)

    def save(path: Path, weights_only: bool) -> None:
        path.touch()
        saved.append(trainer.global_step)

    trainer.save_checkpoint = save
    seldom, always = Saving(tmp_path / "last.ckpt", 3600), Saving(tmp_path / "last.ckpt")
    for callback in (seldom, always):
        for trainer.global_step in (10, 20, 30, 40):
            callback.on_validation_end(trainer, None)
    assert saved == [40, 10, 20, 30, 40]
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_half_a_checkpoint_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    whole = tmp_path / "last.ckpt"
    whole.write_text("whole")

    def fill_the_disk(path: Path, weights_only: bool) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    trainer = SimpleNamespace(
        max_steps=1, global_step=1, should_stop=False, save_checkpoint=fill_the_disk
    )
    with pytest.raises(OSError, match="No space"):
        Saving(whole).on_validation_end(trainer, None)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"last.ckpt": "whole"}


def test_a_checkpoint_that_cannot_be_read_is_begun_anew(tmp_path: Path, caplog) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"global_step": 3}, path)
    path.write_bytes(path.read_bytes()[:-40])
    assert kept(path) == Kept()
    assert f"{path}: cannot be read" in caplog.text
