"""Runs on a real Slurm cluster of one machine: bits, time limits, losses and refusals."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.evidence.record_files import read, read_history
from moebench.run.engine import Ended
from moebench.run.fork_server import context
from moebench.run.job import Job
from moebench.run.job_list import run_all

from .cluster_runs import (
    PARTS,
    SETTINGS,
    STEPS,
    at_home,
    essence,
    held_job,
    ignore,
    make_job,
)
from .slurm_cluster import Cluster, on_slurm

SEEDS = range(2)
GO = Path("go")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and the parts of a person's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PARTS)


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What the seeds come to on this machine."""
    return essence(at_home(tiny, tmp_path_factory.mktemp("home"), SEEDS))


def when(seen: Callable[[], bool], do: Callable[[], object]) -> threading.Thread:
    """Do something as soon as something is seen."""

    def watch() -> None:
        wait_for(seen)
        do()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def wait_for(
    seen: Callable[[], object], pause: Callable[[float], object] = time.sleep, seconds: float = 0.1
) -> None:
    """Wait until something is seen, and look for it after every pause."""
    deadline = time.monotonic() + 300
    while not seen():
        assert time.monotonic() < deadline
        pause(seconds)


def left_behind(folder: Path) -> list[str]:
    names = (path.name for path in folder.rglob(".*"))
    return [name for name in names if "slurm" in name]


def test_runs_of_a_cluster_have_the_bits_of_this_machine(
    cluster, tiny, undisturbed, tmp_path: Path
) -> None:
    there = [make_job(tiny, tmp_path / "there", seed) for seed in SEEDS]
    arrays: set[str] = set()

    def watch(*_: object) -> None:
        arrays.update(number.partition("_")[0] for number in cluster.ids())

    records = run_all(there, on_slurm(memory_gb=1.5), watch)
    assert essence(records) == undisturbed
    assert {record.status for record in records} == {"finished"}
    assert len(arrays) == 1, "they are one array"
    assert not left_behind(tmp_path)
    wait_for(lambda: not cluster.ids())


def test_out_of_time_a_run_goes_on_from_its_checkpoint(
    cluster, tiny, undisturbed, tmp_path: Path
) -> None:
    job = held_job(tiny, tmp_path / "there", GO)

    def is_back() -> bool:
        """Say whether it was put back; those of other tests stay listed for minutes."""
        told = [cluster.call("scontrol", "show", "job", one) for one in cluster.ids()]
        return any("Restarts=1" in one for one in told)

    when(is_back, GO.touch)
    [record] = run_all([job], on_slurm(minutes=1, notice=10), ignore)
    assert essence([record]) == undisturbed[:1]


def lose(cluster: Cluster, job: Job) -> None:
    """End a run from outside, then the node of the run that takes its place; it comes back."""
    wait_for(job.checkpoint_path.exists)
    [first] = cluster.ids()
    cluster.call("scancel", first)
    wait_for(lambda: bool(set(cluster.ids()) - {first}))
    [second] = set(cluster.ids()) - {first}
    wait_for(lambda: "RUNNING" in cluster.call("scontrol", "show", "job", second))
    cluster.call("scontrol", "update", "nodename=here", "state=down", "reason=lost")
    wait_for(lambda: "Restarts=1" in cluster.call("scontrol", "show", "job", second))
    GO.touch()


def test_a_run_that_is_lost_goes_on_elsewhere(cluster, tiny, undisturbed, tmp_path: Path) -> None:
    job = held_job(tiny, tmp_path / "there", GO)
    loss = threading.Thread(target=lose, args=(cluster, job), daemon=True)
    loss.start()
    [record] = run_all([job], on_slurm(), ignore)
    loss.join(1)
    assert not loss.is_alive()
    assert essence([record]) == undisturbed[:1]


def drive(configuration: Path, job: Job) -> None:
    """Drive a run from a process whose server may be older than the cluster."""
    os.environ["SLURM_CONF"] = str(configuration)
    run_all([job], on_slurm(), ignore)


def test_the_runs_of_a_killed_driver_give_way_to_the_next(
    cluster, tiny, undisturbed, tmp_path: Path
) -> None:
    job = held_job(tiny, tmp_path / "there", GO)
    driver = context().Process(target=drive, args=(cluster.configuration, job))
    driver.start()
    wait_for(lambda: job.checkpoint_path.exists() or not driver.is_alive())
    assert driver.is_alive()
    driver.kill()
    driver.join()
    [first] = cluster.ids()
    when(lambda: bool(set(cluster.ids()) - {first}), GO.touch)
    [record] = run_all([job], on_slurm(), ignore)
    assert essence([record]) == undisturbed[:1]
    steps = [line["step"] for line in read_history(job.history_path) if "train/loss" in line]
    assert steps == list(range(STEPS)), "each step is logged once"
    wait_for(lambda: not cluster.ids())


def test_a_run_is_pruned_and_another_cancelled(cluster, tiny, tmp_path: Path) -> None:
    pruned, cancelled = (held_job(tiny, tmp_path / name, GO) for name in ("pruned", "cancelled"))
    with on_slurm().start() as engine:
        for job in (pruned, cancelled):
            engine.submit(job)
            assert engine.where(job) is None
        for job in (pruned, cancelled):
            wait_for(job.checkpoint_path.exists, engine.wait, 1)
        wait_for(lambda: engine.where(pruned), engine.wait, 1)  # as far as it has asked
        assert engine.where(pruned) == "here"
        engine.cancel(cancelled)
        assert engine.running == [pruned]
        engine.prune(pruned)
        GO.touch()
        ended: list[Ended] = []

        def is_over() -> bool:
            ended.extend(engine.ended())
            return bool(ended)

        wait_for(is_over, engine.wait, 1)
    assert [(job, record.status) for job, record, _ in ended] == [(pruned, "pruned")]
    assert cancelled.checkpoint_path.exists()
    assert not cancelled.record_path.exists()
    wait_for(lambda: not cluster.ids())


def test_a_run_that_takes_too_long_is_ended(cluster, tiny, tmp_path: Path) -> None:
    execution = replace(on_slurm(), time_limit=1.0)
    [record] = run_all([held_job(tiny, tmp_path / "there", GO)], execution, ignore)
    assert record.status == "timed_out"
    assert not left_behind(tmp_path)
    wait_for(lambda: not cluster.ids())


def test_when_the_cluster_is_gone_what_is_finished_is_kept(
    cluster, sweep_file, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = import_module("moebench.run.engines.slurm")
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    monkeypatch.setattr(engine, "ASK_SECONDS", 0.0)  # before the run has ended
    (tmp_path / "queue.yaml").write_text("engine: slurm\ncpus: 2\n")
    file = sweep_file(SETTINGS, trials=2, fresh_seeds=0, baselines=[])
    command = ["sweep", str(file), "--engine", "queue.yaml", "--workers", "1", "--no-mlflow"]
    first, second = (tmp_path / f"runs/sweeps/sweep/trial_{number}/seed_0" for number in (0, 1))
    when((second / "history.jsonl").exists, cluster.kill_controller)
    status = main([*command, "--root", "runs"])
    cluster.start_controller()
    told = capsys.readouterr().err.splitlines()
    assert status == 2
    assert told[-1].startswith("moebench: engine=slurm: the cluster does not answer squeue")
    assert told[-1].endswith("what is finished is kept, and the same command goes on")
    kept = (first / "record.json").stat().st_mtime_ns
    assert main([*command, "--root", "runs"]) == 0
    assert (first / "record.json").stat().st_mtime_ns == kept
    records = read(tmp_path / "runs/sweeps/sweep/results.jsonl")
    assert [(record.arm, record.status) for record in records] == [
        ("trial_0", "finished"),
        ("trial_1", "finished"),
    ]
