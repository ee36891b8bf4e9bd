"""What a record says of the code, the tree and the machine that it was made with."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from moebench.evidence.record_files import read_one
from moebench.experiment import code
from moebench.run import machine, recording
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.worker import execute
from moebench.training.cost import Cost
from moebench.training.module import Training


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a moebench of its own."""
    files = ("moebench/run/machine.py", "configs/p/a.yaml", "reproductions/p/plan.py")
    for name in (*files, "reproductions/p/results.jsonl", "reproductions/p/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "all")
    monkeypatch.setattr(machine, "CHECKOUT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("moebench/run/machine.py", False),
        ("configs/p/a.yaml", False),
        ("reproductions/p/plan.py", False),
        ("reproductions/p/judging.py", False),  # which nobody has added
        ("reproductions/p/results.jsonl", True),  # what publishing one paper writes
        ("reproductions/p/README.md", True),
        ("reproductions/p/figure_load.svg", True),
        ("notes.py", True),
    ],
)
def test_a_tree_is_clean_or_not(checkout: Path, name: str, clean: bool) -> None:
    before = machine.commit.__wrapped__()
    assert len(before) == 12
    (checkout / name).write_text("two\n")
    assert machine.commit.__wrapped__() == before + ("" if clean else "+")


def test_an_installed_moebench_has_no_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the environment lies in somebody's own repository."""
    (checkout / "env").mkdir()
    monkeypatch.setattr(machine, "CHECKOUT", checkout / "env")
    assert machine.commit.__wrapped__() == ""
    monkeypatch.setattr(machine, "CHECKOUT", Path("/"))
    assert machine.commit.__wrapped__() == ""


def test_the_source_is_moebench_and_papers_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of what is imported changes it, one of anything else does not."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(code, "OURS", frozenset({"our_pkg"}))
    for name in ("our_pkg", "other_pkg"):
        (tmp_path / name).mkdir()
    (tmp_path / "our_pkg" / "__init__.py").write_text("")
    (tmp_path / "our_pkg" / "unused.py").write_text("")
    (tmp_path / "our_pkg" / "used.py").write_text("K = 1\n")
    (tmp_path / "our_pkg" / "main.py").write_text("import other_pkg\nfrom our_pkg import used\n")
    (tmp_path / "other_pkg" / "__init__.py").write_text("")

    def source() -> str:
        code.source_of_modules.cache_clear()
        return code.source_of_modules(frozenset({"our_pkg.main"}))

    try:
        before = source()
        for name in ("our_pkg/unused.py", "other_pkg/__init__.py"):
            (tmp_path / name).write_text("edited = 1\n")
        assert source() == before
        (tmp_path / "our_pkg" / "used.py").write_text("K = 2\n")
        assert source() != before
    finally:
        code.source_of_modules.cache_clear()


def test_the_processor_has_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"model name": "A 9000", "cpu family": "6", "model": "85", "stepping": "7", "core": "1"}
    monkeypatch.setattr(machine, "_cpuinfo", lambda: told)
    found = machine.hardware.__wrapped__()
    assert found["processor"] == "A 9000"
    assert found["model"] == "cpu family 6, model 85, stepping 7"
    assert found["instructions"] == torch.backends.cpu.get_cpu_capability()


def test_the_precision_is_what_was_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = SimpleNamespace(precision="32-true")
    assert machine.precision(trainer, SimpleNamespace()) == "32-true"
    assert machine.precision(trainer, SimpleNamespace(precision="64-true")) == "64-true"
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    assert machine.precision(trainer, SimpleNamespace()) == "32-true, products in high precision"


def test_a_trained_run_says_it_all(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "pace", lambda history, mean: 0.25)
    experiment = tiny("dense.yaml", {"trainer.precision": "bf16-mixed"}, seed=3)
    job = Job("target", "profile", "arm", 3, experiment, tmp_path / "run")
    execute(job, [])
    found = read_one(job.record_path)
    assert found.status == "finished"
    assert found.config == experiment.config
    assert type(experiment)(found.config).hash == found.config_hash
    assert (found.precision, found.source) == ("bf16-mixed", experiment.source)
    assert found.source
    assert found.seconds_per_step == pytest.approx(0.25), "not the mean, which others disturb"


def test_the_cost_is_counted_in_training_on_a_batch_of_training(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, seen = Training.cost, []

    def noting(self: Training, batch: Any) -> Cost:
        seen.append((self.training, batch.input_BL))
        return count(self, batch)

    monkeypatch.setattr(Training, "cost", noting)
    experiment = tiny("dense.yaml", {"trainer.max_steps": 2})
    execute(Job("target", "profile", "arm", 0, experiment, tmp_path / "run"), [])
    _, data, _ = experiment.build(logger=False)
    [(training, input_BL)] = seen
    assert training
    assert torch.equal(input_BL, next(iter(data.train_dataloader())).input_BL)


def test_a_computed_run_says_what_computed_it(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "computing.py").write_text(
        "import moebench.training.cost\ndef one(): return {'a': 1.0}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "computing", raising=False)
    job = Job("target", "profile", "one", 0, Function("computing:one"), tmp_path / "run")
    found = execute(job, [])
    assert found.config == {"function": "computing:one"}
    assert found.source == code.source_of_modules(frozenset({"moebench.training.cost"}))
    assert set(found.code) >= {"computing"}
    assert found.precision == ""
