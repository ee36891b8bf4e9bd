"""A sweep as a person meets it: end to end, refused, and killed at any moment."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from moebench.cli.main import main
from moebench.evidence.record_files import read
from moebench.run.fork_server import context

ROUTER = "model.network.init_args.sparse.router.init_args"
FRESH = "import sys; from moebench.cli.main import main; status = main()"
KILLED_TRIALS, STEPS = 3, 30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of all runs that does not exist yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def study_in(folder: Path) -> optuna.Study:
    """The study of an embedded sweep."""
    storage = JournalStorage(JournalFileBackend(str(folder / "study.log")))
    return optuna.load_study(study_name=folder.name, storage=storage)


def test_from_the_file_to_the_report(sweep_file, root: Path, capsys) -> None:
    space = {
        "factor": {"key": f"{ROUTER}.capacity.factor", "values": [1.0, 2.0]},
        "weight": {"key": "model.losses.0.weight", "values": [0.001, 0.1]},
    }
    file = sweep_file(space=space, sampler="GridSampler", fresh_seeds=2)
    assert main(["sweep", str(file), "--root", str(root), "--workers", "2"]) == 0
    folder = root / "sweeps" / "sweep"
    printed = capsys.readouterr().out
    assert "sweep: 4 trials, 4 finished" in printed
    assert f"report: {folder / 'report.html'}" in printed

    study = study_in(folder)
    assert Counter(trial.state.name for trial in study.trials) == {"COMPLETE": 4}
    points = {tuple(trial.params.values()) for trial in study.trials}
    assert points == {(factor, weight) for factor in (1.0, 2.0) for weight in (0.001, 0.1)}
    best = f"trial_{study.best_trial.number}"
    [data] = {record.data_hash for record in read(folder / "results.jsonl")}
    assert json.loads(study.user_attrs["moebench.sweep"])["data"] == data, "other data are refused"
    runs = Counter((r.arm, r.seed) for r in read(folder / "results.jsonl"))
    wanted = {(f"trial_{number}", 0) for number in range(4)} | {("dense_active_flops", 0)}
    wanted |= {(arm, seed) for arm in (best, "dense_active_flops") for seed in (1000, 1001)}
    assert runs == Counter(wanted)

    content = json.loads((folder / "sweep.json").read_text())
    rows = {row["arm"]: row for row in content["fresh"]}
    assert set(rows) == {best, "dense_active_flops"}
    for row in rows.values():
        assert row["gap"] == pytest.approx(row["mean"] - row["in_sweep"])
        assert row["n"] == 2
        assert row["leaks"] == ("other sequences" if row["arm"] == best else "")
    assert {trial["leaks"] for trial in content["trials"]} == {"other sequences"}
    [overlap] = content["overlaps"]
    assert set(overlap) == {"data/overlap", "data/overlap/first", "data/overlap/second"}
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 6, "against dense, surface, two trade-offs, parallel, history"
    assert "http://" not in page.replace("http://www.w3.org", "")
    check_tracking(root, best)

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("record.json")}
    assert main(["sweep", str(file), "--root", str(root), "--workers", "2"]) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("record.json")} == before
    refused_after(file, root, capsys)


def test_dense_baselines_are_tuned_with_as_many_points(sweep_file, root: Path, capsys) -> None:
    """Each at as many points as there are trials; its best, too, is run again on fresh seeds."""
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e-9}}
    file = sweep_file(
        settings={"model.optimizer": optimizer},
        tuning={"rate": {"key": "model.optimizer.init_args.lr", "low": 0.01, "high": 0.1}},
        trials=2,
    )
    assert main(["sweep", str(file), "--root", str(root), "--no-mlflow"]) == 0
    folder = root / "sweeps" / "sweep"
    losses = {(r.arm, r.seed): r.metrics["valid/loss"] for r in read(folder / "results.jsonl")}
    tuned = [losses[f"dense_active_flops.tuning_{number}", 0] for number in range(2)]
    assert len(set(tuned)) == 2
    assert min(tuned) < losses["dense_active_flops", 0], "a step of 1e-9 learns nothing"
    assert losses["dense_active_flops_tuned", 0] == min(tuned)
    assert ("dense_active_flops_tuned", 1000) in losses

    content = json.loads((folder / "sweep.json").read_text())
    chosen = {row["arm"]: row["chosen_from"] for row in content["fresh"]}
    assert chosen.pop("dense_active_flops_tuned") == 3
    assert list(chosen.values()) == [2]
    assert content["baselines"]["dense_active_flops_tuned"]["valid/loss"] == min(tuned)
    assert len(content["baselines"]) == 1, "plots show dense models at their best"
    assert 0.01 <= content["tuned"]["active_flops"]["rate"] <= 0.1
    assert "dense active flops tuned" in capsys.readouterr().out
    linked_when_sent_later(root)


def check_tracking(root: Path, best: str) -> None:
    """The study is a run in MLflow, trials are its children, the best one is tagged."""
    with sqlite3.connect(root / "mlflow.db") as database:
        runs = dict(database.execute("select run_uuid, status from runs"))
        tags: dict[str, dict[str, str]] = {run: {} for run in runs}
        for run, key, value in database.execute("select run_uuid, key, value from tags"):
            tags[run][key] = value
        names = {row[0] for row in database.execute("select distinct key from params")}
        metrics = {row[0] for row in database.execute("select distinct key from metrics")}
    assert set(runs.values()) == {"FINISHED"}
    [parent] = [run for run in runs if tags[run]["moebench.kind"] == "reproduction"]
    children = [run for run in runs if run != parent]
    assert {tags[run]["mlflow.parentRunId"] for run in children} == {parent}
    said = {tags[run]["arm"]: tags[run]["best"] for run in children if "best" in tags[run]}
    assert said == {f"trial_{n}": str(f"trial_{n}" == best).lower() for n in range(4)}
    assert {"trainer.max_steps", f"{ROUTER}.capacity.factor"} <= names
    assert {"valid/loss", "final/route/dropped", "cost/params_total"} <= metrics
    linked = [run for run in children if "dense_baseline" in tags[run]]
    assert {tags[run]["arm"] for run in linked} == {f"trial_{number}" for number in range(4)}
    assert list((root / "mlartifacts").rglob("report.html"))
    plots = {path.stem for path in (root / "mlartifacts").rglob("plots/*.svg")}
    fronts = {"pareto_seconds_per_step", "pareto_route_dropped"}
    assert plots == {"surface", *fronts, "parallel", "history"}


def linked_when_sent_later(root: Path) -> None:
    """Trials of a sweep that nobody tracked name their dense baseline, once they are sent."""
    assert main(["track", "--root", str(root)]) == 0
    with sqlite3.connect(root / "mlflow.db") as database:
        tags = list(database.execute("select run_uuid, key, value from tags"))
    arms = {run: value for run, key, value in tags if key == "arm"}
    linked = {arms[run]: arms[value] for run, key, value in tags if key == "dense_baseline"}
    assert linked == dict.fromkeys(["trial_0", "trial_1"], "dense_active_flops_tuned")


def refused_after(file: Path, root: Path, capsys) -> None:
    """Another space under a name that somebody gives is refused, and nothing changes."""
    content = json.loads(file.read_text())
    content["space"]["factor"]["values"] = [1.0, 1.5]
    file.write_text(json.dumps(content))
    before = (root / "sweeps" / "sweep" / "study.log").read_bytes()
    capsys.readouterr()
    assert main(["sweep", str(file), "--name", "sweep", "--root", str(root)]) == 2
    line = capsys.readouterr().err
    assert "space.factor.values: [1.0, 2.0] is now [1.0, 1.5]" in line
    assert "--name sweep_2" in line
    assert (root / "sweeps" / "sweep" / "study.log").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"objectives": {"valid/los": "minimize"}}, [], ["objectives.valid/los", "valid/loss"]),
        ({}, ["--workers", "0"], ["workers=0"]),
        ({}, ["--name", "a/b"], ["name=a/b"]),
        ({}, ["--storage", "postgresqll://x/y"], ["storage=postgresqll://x/y", "cannot be used"]),
        ({}, ["--storage", "sqlite:////nowhere/at/all.db"], ["nowhere", "unable to open"]),
        ({"settings": {"trainer.max_stepz": 1}}, [], ["max_stepz"]),
        ({"tuning": {"rate": {"key": "model.rate", "low": 1, "high": 2}}}, [], ["rate"]),
        ({"tuning": {"rate": {"key": "x", "low": 2, "high": 1}}}, [], ["tuning.rate", "low=2"]),
        (
            {"baselines": [], "tuning": {"rate": {"key": "seed_everything", "low": 1, "high": 2}}},
            [],
            ["tuning", "baselines"],
        ),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(
    changes: dict[str, object],
    options: list[str],
    words: list[str],
    sweep_file: Callable[..., Path],
    remembered: object,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("moebench.experiment.variations.load", remembered)  # most are over the same
    arguments = ["sweep", str(sweep_file(**changes)), "--root", str(root), *options]
    assert main([*arguments, "--no-mlflow"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err
    assert not root.exists()


def test_a_fresh_process_says_no_more_than_the_refusal(sweep_file, root: Path) -> None:
    """Optuna announces every study, until it is told not to; forests wait until they are grown."""
    file = sweep_file(objectives={"valid/los": "minimize"})
    code = f"{FRESH}; assert 'sklearn' not in sys.modules; sys.exit(status)"
    command = [sys.executable, "-c", code, "sweep", str(file), "--root", str(root)]
    ended = subprocess.run([*command, "--no-mlflow"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("moebench: objectives.valid/los: ")
    assert ended.stderr.count("\n") == 1


def test_a_locked_database_is_refused(sweep_file, root: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "study.db"
    with sqlite3.connect(path) as database:
        database.execute("begin exclusive")
        arguments = ["sweep", str(sweep_file()), "--root", str(root), "--no-mlflow"]
        assert main([*arguments, "--storage", f"sqlite:///{path}?timeout=0.1"]) == 2
    assert "database is locked" in capsys.readouterr().err
    assert not root.exists()


def test_killed_again_and_again_it_ends_with_the_numbers_of_one_that_was_not(
    sweep_file, root: Path, capsys
) -> None:
    """By two workers, killed as it begins, in the middle of a run, and just after one.

    Once a worker is killed, too. The other one has a worker and peace.
    """
    settings = {"trainer.max_steps": STEPS, "trainer.val_check_interval": 5}
    few = {"trials": KILLED_TRIALS, "seeds": 2, "fresh_seeds": 1, "baselines": ["active_flops"]}
    file = sweep_file(settings, **few)
    # The default root is a relative path as well.
    arguments = ["sweep", str(file), "--root", root.name, "--workers", "2", "--no-mlflow"]
    folder = root / "sweeps" / "sweep"
    kill_at("study.log", arguments, folder)
    kill_at("trial_*/seed_*/last.ckpt", arguments, folder)
    kill_at("trial_*/seed_*/record.json", arguments, folder)
    with ThreadPoolExecutor() as beside:
        victim = beside.submit(kill_a_worker_at, "trial_*/seed_*/last.ckpt", folder)
        assert main(arguments) == 0
        assert victim.result() > 0
    study = study_in(folder)
    assert [trial.number for trial in study.trials] == list(range(KILLED_TRIALS))
    assert Counter(trial.state.name for trial in study.trials) == {"COMPLETE": KILLED_TRIALS}
    begun, ended = transitions(folder / "study.log")
    assert set(begun.values()) == set(ended.values()) == {1}, "no trial was run twice"
    for path in folder.glob("trial_*/seed_*/history.jsonl"):
        lines = map(json.loads, path.read_text().splitlines())
        steps = [line["step"] for line in lines if "train/loss" in line]
        assert steps == list(range(STEPS)), "no step was trained twice"
    quiet = ["sweep", str(file), "--root", "undisturbed", "--no-mlflow"]
    assert main([*quiet, "--workers", "1"]) == 0
    assert essence(folder) == essence(Path("undisturbed") / "sweeps" / "sweep")


def essence(folder: Path) -> list[tuple[object, ...]]:
    """What must not depend on workers and interruptions."""
    records = read(folder / "results.jsonl")
    return [(r.arm, r.seed, r.status, r.config_hash, r.steps, r.metrics) for r in records]


def kill_at(sign: str, arguments: list[str], folder: Path) -> None:
    """Start the command in a process of its own; kill it as soon as such a file is made."""
    command = context().Process(target=main_status, args=(arguments,))
    before = set(folder.glob(sign))
    command.start()
    wait_for_another(sign, folder, before, command.is_alive)
    assert command.is_alive(), "it was to be killed, and had ended"
    command.kill()
    command.join()
    assert set(folder.glob(sign)) - before, sign


def kill_a_worker_at(sign: str, folder: Path) -> int:
    """Kill a worker of this process as soon as such a file is made; return which it was."""
    wait_for_another(sign, folder, set(folder.glob(sign)), lambda: True)
    victim = a_worker(os.getpid())
    os.kill(victim, signal.SIGKILL)
    return victim


def wait_for_another(
    sign: str, folder: Path, before: set[Path], goes_on: Callable[[], bool]
) -> None:
    """Wait for a file that was not there before, as long as it may still come."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and goes_on() and not set(folder.glob(sign)) - before:
        time.sleep(0.01)


def main_status(arguments: list[str]) -> None:
    """End with the status of a command."""
    sys.exit(main(arguments))


def a_worker(driver: int) -> int:
    """A worker of a driver: a child of its server, which other tests' daemons are not."""
    started = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children(driver)}
    [server] = [child for child, command in started.items() if b"forkserver" in command]
    return max(children(server))


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    of = {int(stat.split()[0]): int(stat.rpartition(")")[2].split()[1]) for stat in stats}
    return [child for child, its in of.items() if its == parent]


def transitions(journal: Path) -> tuple[Counter[int], Counter[int]]:
    """How often each trial was asked for, and how often it was told its result."""
    begun: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for line in map(json.loads, journal.read_text().splitlines()):
        if line["op_code"] == 6:  # a change of state; 0 is running
            (begun if line["state"] == 0 else ended)[line["trial_id"]] += 1
    return begun, ended
