"""TrialQueue, leases and what becomes of a trial; no run is made, records are written by hand."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from moebench.evidence.data_name import data_name
from moebench.evidence.record import RunRecord
from moebench.experiment import DataStamp
from moebench.run.job import Job
from moebench.sweeps import Sweep, read_sweep
from moebench.sweeps import leases as leases
from moebench.sweeps.active_trials import ActiveTrials
from moebench.sweeps.baseline_runs import winner
from moebench.sweeps.leases import Attributes, Leases
from moebench.sweeps.running_trial import CACHED, HASH, STATUS, value_of
from moebench.sweeps.search import named_apart
from moebench.sweeps.storage import JOURNAL, existing_storage, open_storage
from moebench.sweeps.trial_queue import TrialQueue, refuse_changes
from moebench.testing.jobs import leave, record_of

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
    """A study in a folder, and one process that works on it."""

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.sweep = sweep
        self.folder = folder
        self.stopped: list[Job] = []
        self.restart()
        self.queue.plan()

    def restart(self) -> None:
        """Forget everything that is not in files, as a killed process does."""
        own = Leases("me", alone=True)
        self.queue = TrialQueue(self.sweep, open_storage(self.folder, ""), own, self.folder)
        self.active = ActiveTrials(self.queue, own, self.stopped.append)

    def next(self) -> Job:
        """Return the next run."""
        job = self.active.next()
        assert job is not None
        return job

    def end(self, job: Job, status: str = "finished", loss: float = 3.0) -> None:
        """Leave a record as a worker does."""
        self.active.ended(job, leave(job, status, loss, metrics={"route/dropped": 0.25}))


@pytest.fixture
def bench(sweep_file: Callable[..., Path], tmp_path: Path) -> Callable[..., Bench]:
    """Makes a bench of a sweep with the given keys."""

    def make(**changes: Any) -> Bench:
        return Bench(known(sweep_file(**changes)), tmp_path / "folder")

    return make


def states(bench: Bench) -> list[str]:
    """The states of all trials, by number."""
    return [trial.state.name for trial in bench.queue.trials()]


def test_all_tickets_are_there_from_the_start(bench) -> None:
    found = bench(trials=3)
    assert states(found) == ["WAITING"] * 3
    found.queue.plan()
    assert states(found) == ["WAITING"] * 3
    assert found.queue.study.metric_names == ["valid/loss"]
    jobs = [found.next() for _ in range(3)]
    assert [job.arm for job in jobs] == ["trial_0", "trial_1", "trial_2"]
    assert found.active.next() is None
    for job in jobs:
        found.end(job)
    assert states(found) == ["COMPLETE"] * 3
    assert found.active.done


def test_more_trials_go_on_with_the_same_study(bench, sweep_file) -> None:
    found = bench(trials=2)
    points = [found.next().experiment.hash for _ in range(2)]
    found.sweep = known(sweep_file(trials=3))
    found.restart()
    found.queue.plan()
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
    assert found.active.next() is None
    assert found.active.done
    assert found.queue.trials()[0].values == [2.5]


def test_seeds_that_a_dead_machine_has_made_are_not_made_again(bench) -> None:
    found = bench(trials=1, seeds=2)
    first = found.next()
    found.end(first, loss=2.0)
    first.record_path.unlink()  # it lies on the other machine
    found.restart()
    second = found.next()
    assert second.seed == 1
    found.end(second, loss=3.0)
    assert found.queue.trials()[0].values == [2.5]


def test_a_point_that_is_no_configuration_is_a_failed_trial(bench, monkeypatch) -> None:
    found = bench(trials=1)

    def refuse(sweep: Sweep, point: object) -> None:
        raise ValueError("k=4: more than 2 experts")

    monkeypatch.setattr(Sweep, "at", refuse)
    assert found.active.next() is None
    [trial] = found.queue.trials()
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
    found.queue.plan()
    assert found.active.next() is None
    assert [trial.values for trial in found.queue.trials()] == [[3.0], [2.0], [4.0]]


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
    open_storage(Path("folder"), "").set_study_user_attr(found.queue.study_id, "a", 1)
    assert links == [True]


def test_a_trial_that_another_has_taken_meanwhile_is_given_up(bench) -> None:
    """As after a sleep of the machine: the run has ended, the trial is another's and finished."""
    found = bench(trials=1)
    found.active.leases = Leases("me", alone=False)
    job = found.next()
    attributes = found.queue.attributes(0)
    attributes.write("owner", "other")
    found.queue.study.tell(0, 2.0)
    found.end(job, loss=9.0)
    [trial] = found.queue.trials()
    assert trial.values == [2.0]
    assert "record/0" not in trial.user_attrs
    assert found.active.done


def test_a_report_too_late_gives_the_trial_up(bench) -> None:
    found = bench(trials=1, pruner="MedianPruner")
    job = found.next()
    job.folder.mkdir(parents=True)
    job.history_path.write_text(json.dumps({"step": 2, "time": 1.0, "valid/loss": 3.0}) + "\n")
    found.queue.study.tell(0, 2.0)
    found.active.watch(None)
    assert found.stopped == [job]
    assert found.active.done


def test_a_failed_run_is_made_once_more(bench) -> None:
    found = bench(trials=2)
    first = found.next()
    found.end(first, "failed")
    assert found.next().folder == first.folder
    found.end(first)
    second = found.next()
    found.end(second, "failed")
    found.restart()  # the first attempt is not forgotten
    second = found.next()
    assert second.arm == "trial_1"
    found.end(second, "failed")
    assert found.active.next() is None
    assert states(found) == ["COMPLETE", "FAIL"]


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
    [trial] = found.queue.trials()
    assert (trial.state.name, trial.user_attrs[STATUS]) == (state, status)
    kept = RunRecord.from_json(trial.user_attrs["record/0"])
    assert kept.status == status


def test_the_value_is_the_mean_of_the_seeds(bench) -> None:
    objectives = {"valid/loss": "minimize", "seconds_per_step": "minimize"}
    found = bench(trials=1, seeds=2, objectives=objectives)
    found.end(found.next(), loss=2.0)
    found.end(found.next(), loss=3.0)
    assert found.queue.trials()[0].values == [2.5, 1.0]


def test_a_duplicate_is_answered_from_the_cache(bench) -> None:
    found = bench(space=COARSE, trials=6)
    jobs = []
    while (job := found.active.next()) is not None:
        jobs.append(job)
    assert len(jobs) == 2, "two values, so two runs; four trials wait for them"
    for job, loss in zip(jobs, (2.0, 3.0), strict=True):
        found.end(job, loss=loss)
    found.active.watch(None)
    assert states(found) == ["COMPLETE"] * 6
    by_factor = {t.params["factor"]: t.values for t in found.queue.trials()}
    cached = [t for t in found.queue.trials() if CACHED in t.user_attrs]
    assert len(cached) == 4
    for trial in cached:
        assert trial.values == by_factor[trial.params["factor"]]
        path = found.folder / f"trial_{trial.number}" / "seed_0" / "record.json"
        assert RunRecord.from_json(path.read_text()).arm == f"trial_{trial.number}"


def test_a_duplicate_of_a_failed_trial_is_run(bench) -> None:
    found = bench(space=COARSE, trials=6)
    first = found.next()
    found.end(first, "failed")
    found.end(found.next(), "failed")
    arms = set()
    while (job := found.active.next()) is not None:
        arms.add(job.arm)
    own = first.experiment.hash
    same = [t.number for t in found.queue.trials() if t.user_attrs.get(HASH) == own]
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
        found.active.watch(None)
        assert job.prune_path.exists() == (number == 2)
        if number < 2:
            found.end(job, loss=loss)
    assert found.queue.trials()[0].intermediate_values == {2: 2.0, 4: 2.0}


def test_wilcoxon_looks_at_the_seeds(bench) -> None:
    pruner = {"class_path": "WilcoxonPruner", "init_args": {"p_threshold": 0.3}}
    found = bench(trials=2, seeds=6, pruner=pruner)
    for seed in range(6):
        found.end(found.next(), loss=2.0 + seed / 100)
    runs = 0
    while (job := found.active.next()) is not None:
        runs += 1
        found.end(job, loss=9.0 + job.seed / 100)
    assert runs < 6
    assert states(found) == ["COMPLETE", "PRUNED"]


def test_the_winner_is_best_in_the_first_objective(bench) -> None:
    found = bench(trials=3, objectives={"valid/loss": "minimize", "route/dropped": "minimize"})
    for loss in (3.0, 2.0, 2.0):
        found.end(found.next(), loss=loss)
    best = winner(found.queue.trials(TrialState.COMPLETE), found.sweep)
    assert best is not None
    assert best.number == 1


def test_another_space_is_another_study(bench, sweep_file) -> None:
    found = bench()
    storage = found.queue.storage
    refuse_changes(found.sweep, storage)
    space = json.loads(sweep_file().read_text())["space"]
    space["factor"]["low"] = 0.5
    with pytest.raises(ValueError, match=r"space\.factor\.low: 1\.0 is now 0\.5; `--name sweep_2`"):
        refuse_changes(known(sweep_file(space=space)), storage)
    changed = known(sweep_file({"trainer.max_steps": 6}))
    with pytest.raises(ValueError, match=r"experiment\.trainer\.max_steps: 4 is now 6"):
        refuse_changes(changed, storage)
    with pytest.raises(ValueError, match="trials=2: study sweep has 4"):
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


def test_no_ticket_of_another_search_is_taken(bench, sweep_file) -> None:
    """Two machines began at once: neither study nor queue were there when this one looked."""
    found = bench(trials=2)
    found.sweep = known(sweep_file({"trainer.precision": "bf16-mixed"}, trials=2))
    found.restart()
    with pytest.raises(ValueError, match=r"experiment\.trainer\.precision"):
        found.active.next()
    assert states(found) == ["WAITING"] * 2
    with pytest.raises(ValueError, match=r"experiment\.trainer\.precision"):
        found.queue.plan()


def test_a_metric_or_a_number_of_the_record(bench) -> None:
    record = record_of(bench(trials=1).next(), metrics={"route/dropped": 0.25})
    assert value_of(record, "route/dropped") == 0.25
    assert value_of(record, "seconds_per_step") == 1.0
    with pytest.raises(
        ValueError, match=r"objectives\.valid/los: no run logs it; the nearest: valid/loss"
    ):
        value_of(record, "valid/los")


class Clock:
    """A clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.asleep: Callable[[], None] = lambda: None
        monkeypatch.setattr(leases.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(leases.time, "sleep", lambda seconds: self.asleep())


def attributes() -> tuple[Attributes, dict[str, Any]]:
    """A attributes, and what is in it."""
    content: dict[str, Any] = {}
    return Attributes("work", lambda: dict(content), content.__setitem__), content


def test_only_what_stands_still_is_taken_over(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    work, content = attributes()
    content |= {"owner": "other", "heartbeat": 1}
    mine = Leases("mine", alone=False)
    assert not mine.free(work)
    clock.now = leases.STALE_SECONDS - 1
    content["heartbeat"] = 2
    assert not mine.free(work)
    clock.now += leases.STALE_SECONDS - 1
    assert not mine.free(work)
    clock.now += 1
    assert mine.free(work)
    assert mine.take(work)
    assert not Leases("other", alone=False).beat(work), "it sees that it has lost its lease"


def test_of_two_that_take_over_at_once_one_wins(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    work, content = attributes()
    clock.asleep = lambda: content.__setitem__("owner", "faster")
    assert not Leases("mine", alone=False).take(work)
    clock.asleep = lambda: None
    assert Leases("mine", alone=False).take(work)


def test_an_owner_takes_up_its_own_at_once() -> None:
    work, content = attributes()
    content["owner"] = "mine"
    assert Leases("mine", alone=False).free(work)
