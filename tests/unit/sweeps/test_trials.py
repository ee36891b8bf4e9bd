"""A study and what becomes of its trials; no run is made, records are written by hand."""

import json
import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.cli import main as optuna_command
from optuna.trial import TrialState

from moebench.evidence.data_name import data_name
from moebench.evidence.record import RunRecord
from moebench.experiment import DataStamp
from moebench.run.job import Job
from moebench.run.sole_user import sole_user
from moebench.sweeps import Sweep, read_sweep
from moebench.sweeps.best import winner
from moebench.sweeps.driver import DRIVER, driven
from moebench.sweeps.identity import refuse_changes
from moebench.sweeps.results import summary
from moebench.sweeps.search import named_apart
from moebench.sweeps.storage import JOURNAL, existing_storage, open_storage
from moebench.sweeps.study import CACHED, HASH, STATUS, Study
from moebench.sweeps.trials import Trials
from moebench.testing.jobs import leave

COARSE = {
    "factor": {
        "key": "model.network.init_args.sparse.router.init_args.capacity.factor",
        "values": [1.0, 2.0],
    }
}


def known(path: Path) -> Sweep:
    """Read a sweep whose data are known, so that nothing prepares them."""
    return replace(read_sweep(path), data=DataStamp("d", 1))


class Bench:
    """A study in a folder, its driver, and an engine that carries out nothing."""

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.sweep = sweep
        self.folder = folder
        self.pruned: list[Job] = []
        self.cancelled: list[Job] = []
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not in files, as a killed process does."""
        self.study = Study(self.sweep, open_storage(self.folder, ""), self.folder)
        self.trials = Trials(self.study)

    def prune(self, job: Job) -> None:
        self.pruned.append(job)

    def cancel(self, job: Job) -> None:
        self.cancelled.append(job)

    def next(self) -> Job:
        """Return the next run."""
        job = self.trials.next()
        assert job is not None
        return job

    def end(self, job: Job, status: str = "finished", loss: float = 3.0) -> None:
        """Leave a record as a worker does."""
        assert self.trials.ended(job, leave(job, status, loss, metrics={"route/dropped": 0.25}))


@pytest.fixture
def bench(sweep_file: Callable[..., Path], tmp_path: Path) -> Callable[..., Bench]:
    """Makes a bench of a sweep with the given keys."""

    def make(**changes: Any) -> Bench:
        return Bench(known(sweep_file(**changes)), tmp_path / "folder")

    return make


def states(bench: Bench) -> list[str]:
    """The states of all trials, by number."""
    return [trial.state.name for trial in bench.study.trials()]


def test_exactly_the_trials_asked_for(bench) -> None:
    found = bench(trials=3)
    assert found.study.optuna.metric_names == ["valid/loss"]
    jobs = [found.next() for _ in range(3)]
    assert [job.arm for job in jobs] == ["trial_0", "trial_1", "trial_2"]
    assert found.trials.next() is None
    assert not found.trials.done
    for job in jobs:
        found.end(job)
    assert states(found) == ["COMPLETE"] * 3
    assert found.trials.done


def test_a_study_that_queued_its_trials_is_gone_on_with(bench) -> None:
    """As all did once: they wait without a point, or with one."""
    found = bench(trials=2, sampler="TPESampler")
    for params in ({}, {"factor": 1.5, "weight": 0.01}):
        found.study.optuna.enqueue_trial(params)
    jobs = [found.next(), found.next()]
    assert [job.arm for job in jobs] == ["trial_0", "trial_1"]
    assert found.study.trials()[1].params == {"factor": 1.5, "weight": 0.01}
    assert found.trials.next() is None


def test_more_trials_go_on_with_the_same_study(bench, sweep_file) -> None:
    found = bench(trials=2)
    points = [found.next().experiment.hash for _ in range(2)]
    found.sweep = known(sweep_file(trials=3))
    found.restart()
    assert [found.next().experiment.hash for _ in range(3)][:2] == points


@pytest.mark.parametrize("sampler", ["TPESampler", "RandomSampler"])
def test_an_interrupted_trial_is_gone_on_with(bench, sampler: str) -> None:
    found = bench(trials=2, sampler=sampler)
    before = found.next()
    found.restart()
    after = found.next()
    assert (after.arm, after.experiment.hash) == (before.arm, before.experiment.hash)
    found.end(after)
    found.end(found.next())
    assert states(found) == ["COMPLETE"] * 2


def test_a_record_that_was_not_told_yet_is_told_and_not_made_again(bench) -> None:
    found = bench(trials=1)
    job = found.next()
    job.folder.mkdir(parents=True)
    leave(job, loss=2.5)
    found.restart()
    assert found.trials.next() is None
    assert found.trials.done
    assert found.study.trials()[0].values == [2.5]


def test_seeds_whose_files_are_lost_are_not_made_again(bench) -> None:
    found = bench(trials=1, seeds=2)
    first = found.next()
    found.end(first, loss=2.0)
    first.record_path.unlink()
    found.restart()
    second = found.next()
    assert second.seed == 1
    found.end(second, loss=3.0)
    assert found.study.trials()[0].values == [2.5]


def test_a_point_that_is_no_configuration_is_a_failed_trial(bench, monkeypatch) -> None:
    found = bench(trials=1)

    def refuse(sweep: Sweep, point: object) -> None:
        raise ValueError("k=4: more than 2 experts")

    monkeypatch.setattr(Sweep, "at", refuse)
    assert found.trials.next() is None
    [trial] = found.study.trials()
    assert (trial.state.name, trial.user_attrs["why"]) == ("FAIL", "k=4: more than 2 experts")
    assert RunRecord.from_json(trial.user_attrs["record/0"]).status == "failed"


def test_a_lost_study_is_made_again_from_points_and_records(bench, sweep_file) -> None:
    found = bench(trials=3, sampler="TPESampler")
    for loss in (3.0, 2.0, 4.0):
        found.end(found.next(), loss=loss)
    (found.folder / JOURNAL).unlink()
    other = {"class_path": "TPESampler", "init_args": {"seed": 99}}  # would choose other points
    found.sweep = known(sweep_file(trials=3, sampler=other))
    found.restart()
    assert found.trials.next() is None
    assert [trial.values for trial in found.study.trials()] == [[3.0], [2.0], [4.0]]


def test_a_journal_cut_short_is_read_and_written_on(bench) -> None:
    found = bench(trials=2)
    found.end(found.next())
    with (found.folder / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":8,"trial')
    found.restart()
    found.end(found.next())
    found.restart()
    assert states(found) == ["COMPLETE"] * 2


def test_a_lock_that_a_kill_left_is_taken_away(bench, tmp_path: Path, monkeypatch) -> None:
    """Optuna would wait for it: half a minute, or for ever where the folder was a relative one."""
    found = bench(trials=1)
    monkeypatch.chdir(tmp_path)
    found.folder = found.folder.relative_to(tmp_path)
    lock = found.folder / f"{JOURNAL}.lock"
    lock.symlink_to(found.folder / JOURNAL)
    assert existing_storage(found.folder, "") is not None
    assert lock.is_symlink(), "whoever only looks may not be alone"
    open_storage(found.folder, "")
    assert not lock.is_symlink()
    found.restart()
    found.end(found.next())
    assert states(found) == ["COMPLETE"]


def test_the_lock_while_writing_is_one_that_can_be_waited_for(bench, tmp_path, monkeypatch) -> None:
    found = bench(trials=1)
    monkeypatch.chdir(tmp_path)
    links: list[bool] = []
    symlink = os.symlink

    def seen(target: str, path: str) -> None:
        symlink(target, path)
        links.append(Path(path).exists())  # follows the link

    monkeypatch.setattr(os, "symlink", seen)
    open_storage(Path("folder"), "").set_study_user_attr(found.study.optuna._study_id, "a", 1)
    assert links == [True]


def test_seeds_run_side_by_side_and_count_in_their_order(bench) -> None:
    found = bench(trials=2, seeds=3)
    jobs = [found.next() for _ in range(4)]
    assert [(job.arm, job.seed) for job in jobs[2:]] == [("trial_0", 2), ("trial_1", 0)]
    found.end(jobs[2], loss=4.0)
    assert states(found)[0] == "RUNNING"
    found.end(jobs[0], "diverged")
    [trial, _] = found.study.trials()
    assert (trial.state.name, trial.user_attrs[STATUS]) == ("FAIL", "diverged")
    assert "record/2" not in trial.user_attrs, "had it run alone, nobody would know it"
    found.trials.watch(found)
    assert found.cancelled == [jobs[1]]


def test_a_seed_that_ends_after_its_trial_changes_nothing(bench) -> None:
    found = bench(trials=1, seeds=2)
    first, second = found.next(), found.next()
    found.end(first, "diverged")
    found.end(second)
    assert found.trials.done
    assert "record/1" not in found.study.trials()[0].user_attrs


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("finished", "COMPLETE"),
        ("pruned", "PRUNED"),
        ("diverged", "FAIL"),
        ("out_of_memory", "FAIL"),
    ],
)
def test_endings_are_told_apart(bench, status: str, state: str) -> None:
    found = bench(trials=1)
    found.end(found.next(), status)
    [trial] = found.study.trials()
    assert (trial.state.name, trial.user_attrs[STATUS]) == (state, status)
    kept = RunRecord.from_json(trial.user_attrs["record/0"])
    assert kept.status == status


def test_the_value_is_the_mean_of_the_seeds(bench) -> None:
    objectives = {"valid/loss": "minimize", "seconds_per_step": "minimize"}
    found = bench(trials=1, seeds=2, objectives=objectives)
    found.end(found.next(), loss=2.0)
    found.end(found.next(), loss=3.0)
    assert found.study.trials()[0].values == [2.5, 1.0]


def test_a_duplicate_is_answered_from_the_cache(bench) -> None:
    found = bench(space=COARSE, trials=6)
    jobs = []
    while (job := found.trials.next()) is not None:
        jobs.append(job)
    assert len(jobs) == 2, "two values, so two runs; four trials wait for them"
    for job, loss in zip(jobs, (2.0, 3.0), strict=True):
        found.end(job, loss=loss)
    found.trials.watch(found)
    assert states(found) == ["COMPLETE"] * 6
    by_factor = {t.params["factor"]: t.values for t in found.study.trials()}
    cached = [t for t in found.study.trials() if CACHED in t.user_attrs]
    assert len(cached) == 4
    for trial in cached:
        assert trial.values == by_factor[trial.params["factor"]]
        path = found.folder / f"trial_{trial.number}" / "seed_0" / "record.json"
        assert RunRecord.from_json(path.read_text()).arm == f"trial_{trial.number}"


def test_a_duplicate_of_a_failed_trial_is_run(bench) -> None:
    found = bench(space=COARSE, trials=6)
    first = found.next()
    found.end(first, "failed")
    arms = set()
    while (job := found.trials.next()) is not None:
        arms.add(job.arm)
    own = first.experiment.hash
    same = [t.number for t in found.study.trials() if t.user_attrs.get(HASH) == own]
    assert len(same) > 1
    assert f"trial_{same[1]}" in arms


def test_a_hopeless_trial_is_cut_short(bench) -> None:
    pruner = {"class_path": "MedianPruner", "init_args": {"n_startup_trials": 2}}
    found = bench(trials=3, pruner=pruner)
    for number, loss in enumerate((2.0, 2.1, 9.0)):
        job = found.next()
        job.folder.mkdir(parents=True)
        lines = [{"step": step, "time": 1.0, "valid/loss": loss} for step in (2, 4)]
        job.history_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        found.trials.watch(found)
        assert (job in found.pruned) == (number == 2)
        if number < 2:
            found.end(job, loss=loss)
    assert found.study.trials()[0].intermediate_values == {2: 2.0, 4: 2.0}


def test_wilcoxon_looks_at_the_seeds(bench) -> None:
    pruner = {"class_path": "WilcoxonPruner", "init_args": {"p_threshold": 0.3}}
    found = bench(trials=2, seeds=6, pruner=pruner)
    for seed in range(6):
        found.end(found.next(), loss=2.0 + seed / 100)
    runs = 0
    while (job := found.trials.next()) is not None:
        runs += 1
        found.end(job, loss=9.0 + job.seed / 100)
    assert runs < 6
    assert states(found) == ["COMPLETE", "PRUNED"]


def test_the_winner_is_best_in_the_first_objective(bench) -> None:
    found = bench(trials=3, objectives={"valid/loss": "minimize", "route/dropped": "minimize"})
    for loss in (3.0, 2.0, 2.0):
        found.end(found.next(), loss=loss)
    best = winner(found.study.trials(TrialState.COMPLETE), found.sweep)
    assert best is not None
    assert best.number == 1


@pytest.mark.parametrize(("most", "best"), [(0.3, 0), (0.2, None)])
def test_only_a_feasible_trial_wins(bench, most: float, best: int | None) -> None:
    """Every run drops a quarter of its tokens."""
    found = bench(trials=2, constraints={"route/dropped": most}, sampler="TPESampler")
    for loss in (2.0, 3.0):
        found.end(found.next(), loss=loss)
    trials = found.study.trials(TrialState.COMPLETE)
    assert trials[0].constraints == {"route/dropped": pytest.approx(0.25 - most)}
    won = winner(trials, found.sweep)
    assert (won.number if won else None) == best
    content = summary(found.sweep, trials, won, [])
    assert [one["infeasible"] for one in content["trials"]] == [
        [] if best == 0 else ["route/dropped"]
    ] * 2


@pytest.mark.parametrize("sampler", ["TPESampler", "RandomSampler"])
def test_points_to_begin_with_come_first(bench, sampler: str) -> None:
    """What they lack, the sampler chooses, and the same again after a kill."""
    found = bench(trials=3, sampler=sampler, enqueue=[{"factor": 2, "weight": 0.01}, {"factor": 1}])
    for _ in range(3):
        found.next()
    points = [trial.params for trial in found.study.trials()]
    assert points[0] == {"factor": 2.0, "weight": 0.01}
    assert points[1]["factor"] == 1.0
    (found.folder / JOURNAL).unlink()
    found.restart()
    for _ in range(3):
        found.next()
    assert [trial.params for trial in found.study.trials()] == points


def test_another_space_is_another_study(bench, sweep_file) -> None:
    found = bench()
    storage = found.study.optuna._storage
    refuse_changes(found.sweep, storage)
    space = json.loads(sweep_file().read_text())["space"]
    space["factor"]["low"] = 0.5
    with pytest.raises(ValueError, match=r"space\.factor\.low: 1\.0 is now 0\.5; `--name sweep_2`"):
        refuse_changes(known(sweep_file(space=space)), storage)
    changed = known(sweep_file({"trainer.max_steps": 6}))
    with pytest.raises(ValueError, match=r"experiment\.trainer\.max_steps: 4 is now 6"):
        refuse_changes(changed, storage)
    for _ in range(3):
        found.next()
    with pytest.raises(ValueError, match="trials=2: study sweep has 3"):
        refuse_changes(known(sweep_file(trials=2)), storage)
    refuse_changes(replace(changed, name="other"), storage)
    with pytest.raises(ValueError, match='data: "d" is now "e"'):
        refuse_changes(replace(found.sweep, data=DataStamp("e", 1)), storage)


def test_the_study_of_another_search_is_left_and_found_again(
    sweep_file, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = known(sweep_file())
    own = f"sweep_{data_name(sweep.base.config)}"
    names = {"d": "sweep", "e": own, "f": f"{own}_2"}
    (tmp_path / "sweeps").mkdir()
    for again in (False, True):
        for data, name in names.items():
            named = named_apart(replace(sweep, data=DataStamp(data, 1)), tmp_path)
            assert named.name == name
            if not again:
                Bench(named, tmp_path / "sweeps" / name)
    assert capsys.readouterr().out.splitlines()[0] == (
        'study sweep has changed: data: "d" is now "e"; '
        f"it is left unchanged, and this is study {own}"
    )


def test_two_drivers_of_one_database_are_told_apart(bench, tmp_path: Path, monkeypatch) -> None:
    found = bench(trials=1)
    with driven(found.study):
        elsewhere = Study(found.sweep, open_storage(found.folder, ""), tmp_path / "elsewhere")
        with sole_user(found.folder), pytest.raises(ValueError, match=r"process \d+ on "):
            hold(driven(elsewhere))
        hold(driven(elsewhere))  # the first one has gone without a word: its lock is free
    found.study.note(DRIVER, {"host": "far", "folder": "/runs", "name": "process 7 on far"})
    with pytest.raises(ValueError, match="study sweep: driven by process 7 on far; if") as told:
        hold(driven(found.study))
    _, command, _ = str(told.value).split("`")
    monkeypatch.setattr("sys.argv", shlex.split(command))
    assert optuna_command() in (0, None)
    found.restart()
    hold(driven(found.study))


def hold(context: Any) -> None:
    """Enter a context and leave it."""
    with context:
        pass
