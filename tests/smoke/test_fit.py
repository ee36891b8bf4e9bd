"""Independent runs of `moebench fit` in one folder, at once."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.evidence.record_files import read_one
from moebench.run.fork_server import context
from moebench.run.sole_user import own_name
from moebench.tracking.server import open_store

TINY = """
model:
  network:
    class_path: Decoder
    init_args:
      shape: {width: 16, hidden: 16, layers: 1, heads: 1}
      sparse:
        router: {class_path: TopK, init_args: {num_experts: 2, k: 1}}
        experts: {class_path: SwiGLU, init_args: {hidden: 8}}
        every: 1
data:
  class_path: Synthetic
  init_args: {world: Uniform, length: 4, batch_size: 2, valid_batches: 1}
trainer: {val_check_interval: 10}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration in the current folder, and no server of MLflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("tiny.yaml").write_text(TINY)


def asked(name: str, *more: str, steps: int = 20) -> list[str]:
    """The arguments of a run."""
    return ["fit", "--config=tiny.yaml", f"--name={name}", f"--trainer.max_steps={steps}", *more]


def carry_out(arguments: list[str], environment: dict[str, str], told: Path) -> None:
    """End with the status of a command; all that it prints goes to a file."""
    os.environ.clear()
    os.environ.update(environment)
    with told.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.exit(main(arguments))


@contextmanager
def started(arguments: list[str], told: str = "told") -> Iterator[BaseProcess]:
    """A command in a process of its own, which is killed in the end if it has not ended.

    It is a fork of the server: a fresh interpreter would import for seconds.
    """
    given = (arguments, dict(os.environ), Path(told).absolute())
    process = context().Process(target=carry_out, args=given)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def test_two_at_once_make_one_database_and_send_a_run_each() -> None:
    """They differ in nothing but the seed."""
    other = asked("one", "--seed_everything=1")
    with started(asked("one"), "first") as first, started(other, "second") as second:
        for process in (first, second):
            process.join(600)
    told = [Path(name).read_text() for name in ("first", "second")]
    assert (first.exitcode, second.exitcode) == (0, 0), told
    assert not any("MLflow" in output for output in told)
    store = open_store(Path("runs"))
    runs = store.client.search_runs([store.experiment])
    assert sorted(run.info.run_name for run in runs) == ["one seed 0", "one seed 1"]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_a_run_is_made_by_one_process_and_goes_on_once_that_is_killed(capsys) -> None:
    folder = Path("runs/fit/single/one/seed_0")
    one = asked("one", "--no-mlflow", steps=400)
    with started(one) as first:
        deadline = time.monotonic() + 600
        while not (folder / "last.ckpt").exists() and time.monotonic() < deadline:
            assert first.is_alive(), Path("told").read_text()
            time.sleep(0.01)
        os.kill(first.pid, signal.SIGSTOP)  # it keeps its lock
        assert main(asked("two", "--no-mlflow")) == 0
        capsys.readouterr()
        assert main(one) == 2
        refusal = capsys.readouterr().err
        assert refusal.startswith(f"moebench: {folder}: ")
        assert own_name().replace(str(os.getpid()), str(first.pid)) in refusal
        assert refusal.count("\n") == 1
        first.kill()
        first.join()
        assert main(one) == 0
    assert read_one(folder / "record.json").steps == 400


def test_one_that_takes_too_long_is_timed_out(capsys) -> None:
    assert main(asked("slow", "--no-mlflow", "--time-limit=0.5", steps=10**6)) == 1
    assert "timed_out" in capsys.readouterr().out
    record = read_one(Path("runs/fit/single/slow/seed_0/record.json"))
    assert record.status == "timed_out"


def test_no_time_is_refused(capsys) -> None:
    assert main(asked("none", "--time-limit=0")) == 2
    assert capsys.readouterr().err.startswith("moebench: time_limit=0: ")
    assert not Path("runs").exists()
