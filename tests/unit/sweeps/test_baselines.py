"""The dense runs beside the trials: in which order, when they are made, what a restart skips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from optuna.trial import create_trial

from moebench.evidence.record import RunRecord
from moebench.experiment import DataStamp
from moebench.run.job import Job
from moebench.sweeps import Sweep, read_sweep
from moebench.sweeps.baselines import Baselines
from moebench.sweeps.mlflow_tags import tags
from moebench.sweeps.results import summary
from moebench.sweeps.storage import open_storage
from moebench.sweeps.study import Study, records_in
from moebench.sweeps.trials import Trials
from moebench.testing.jobs import leave
from moebench.testing.verdicts import run

RATE = {"rate": {"key": "model.warmup_steps", "low": 1, "high": 9}}


def known(path: Path) -> Sweep:
    """Read a sweep whose data are known, so that nothing prepares them."""
    return replace(read_sweep(path), data=DataStamp("d", 1))


class Driver:
    """The driver of a sweep; no run is made, records are written by hand."""

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.study = Study(sweep, open_storage(folder, ""), folder)
        self.baselines = Baselines(self.study)
        self.trials = Trials(self.study)

    def end(self, job: Job, status: str = "finished", loss: float = 3.0) -> None:
        """Leave a record as a worker does."""
        record = leave(job, status, loss)
        assert self.baselines.ended(job, record) or self.trials.ended(job, record)

    def names(self, source: Callable[[], Job | None]) -> list[tuple[str, int]]:
        """Take and end all runs that a source has now; return arms and seeds."""
        found = []
        while (job := source()) is not None:
            found.append((job.arm, job.seed))
            self.end(job)
        return found


@pytest.fixture(autouse=True)
def _prepared(tiny) -> None:
    """The data of the sweeps, in which twins count FLOPs."""
    tiny("switch_8.yaml")


@pytest.fixture
def driver(sweep_file: Callable[..., Path], tmp_path: Path) -> Callable[[], Driver]:
    """Makes the driver of a sweep of two trials; again, after a kill."""
    sweep = known(sweep_file(trials=2, tuning=RATE))
    return lambda: Driver(sweep, tmp_path / "folder")


BEFORE = [
    ("dense_active_flops", 0),
    ("dense_active_flops.tuning_0", 0),
    ("dense_active_flops.tuning_1", 0),
]


def test_baselines_come_first_and_fresh_seeds_when_the_trials_have_ended(driver) -> None:
    process = driver()
    assert process.names(process.baselines.next) == BEFORE
    assert not process.baselines.done
    assert process.names(process.trials.next) == [("trial_0", 0), ("trial_1", 0)]
    assert not process.baselines.done
    after = process.names(process.baselines.next)
    assert after == [("trial_0", 1000), ("dense_active_flops", 1000)]
    assert process.baselines.done
    assert driver().baselines.done, "the next process has nothing to do"


def test_a_winner_and_its_twin_have_one_plan(driver) -> None:
    """Neither capacity nor balance weight, the names of the space, is a matter of FLOPs."""
    process = driver()
    planned = process.baselines.next().planned
    assert list(planned) == ["flops_per_token"]
    process = driver()  # which finds the width in the study
    again = process.baselines.next()
    assert again.planned == planned
    process.end(again)
    process.names(process.baselines.next)
    process.names(process.trials.next)
    job = process.baselines.next()
    assert (job.arm, job.planned) == ("trial_0", planned)


def made(process: Driver) -> dict[tuple[str, int], RunRecord]:
    """The records that the study keeps of the runs beside its trials."""
    return {(r.arm, r.seed): r for r in records_in(process.study.attributes)}


def test_the_twin_of_the_winner_stands_beside_that_of_the_base(sweep_file, tmp_path: Path) -> None:
    """Where the space varies what a dense model feels, too."""
    steps = {"warmup": {"key": "model.warmup_steps", "values": [3, 4]}}
    process = Driver(known(sweep_file(trials=1, space=steps)), tmp_path / "folder")
    process.names(process.baselines.next)
    process.names(process.trials.next)
    after = process.names(process.baselines.next)
    own = "dense_active_flops_of_trial_0"
    wanted = [("trial_0", 1000), (own, 0), ("dense_active_flops", 1000), (own, 1000)]
    assert sorted(after) == sorted(wanted)
    another = known(sweep_file(trials=2, space=steps))
    best = SimpleNamespace(number=1)
    records = list(made(process).values())
    shown = [row["arm"] for row in summary(another, [], best, records)["fresh"]]
    assert shown == ["dense_active_flops"], "of another winner"


def test_the_winner_is_held_against_every_baseline_seed_by_seed(sweep_file) -> None:
    """By fresh seeds that finished in both; the seeds of the trials chose it and do not count."""
    both = ["active_flops", "total_params"]
    sweep = known(sweep_file(trials=1, fresh_seeds=2, baselines=both))
    losses = {
        "trial_0": (1.0, 2.0, 3.0),
        "dense_active_flops": (9.0, 2.5, 3.1),
        "dense_total_params": (9.0, 1.0, 9.0),
    }
    seeds = (0, *sweep.later_seeds)
    records = [
        run(arm, seed, loss)
        for arm, row in losses.items()
        for seed, loss in zip(seeds, row, strict=True)
    ]
    records[-1] = replace(records[-1], status="diverged")
    found = summary(sweep, [], SimpleNamespace(number=0), records)
    first, second = found["against"]
    assert (first["dense"], second["dense"]) == ("dense_active_flops", "dense_total_params")
    assert first["difference"][0] == pytest.approx(-0.3)
    assert first["difference"][3] == 2
    assert second["difference"] == [1.0, None, None, 1]
    assert first["at_equal_time"] == [None, None, None, 0], "no curves"
    assert found["runs"] == 9


def test_a_baseline_that_is_asked_for_later_is_made(sweep_file, tmp_path: Path) -> None:
    process = Driver(known(sweep_file(trials=1, fresh_seeds=0)), tmp_path / "folder")
    process.names(process.baselines.next)
    process.names(process.trials.next)
    assert process.baselines.next() is None
    assert process.baselines.done
    more = ["active_flops", "total_params"]
    file = sweep_file(trials=1, fresh_seeds=0, baselines=more)
    process = Driver(known(file), tmp_path / "folder")
    assert not process.baselines.done
    assert process.names(process.baselines.next) == [("dense_total_params", 0)]


def test_a_point_of_the_tuning_that_is_no_configuration_is_a_failed_run(
    driver, monkeypatch
) -> None:
    at = Sweep.at

    def refusing(self: Sweep, point: Any, tuning: Any = None) -> Any:
        if tuning == self.tuning_points[0]:
            raise ValueError("not together")
        return at(self, point, tuning)

    monkeypatch.setattr(Sweep, "at", refusing)
    process = driver()
    assert process.names(process.baselines.next) == [BEFORE[0], BEFORE[2]]
    assert made(process)["dense_active_flops.tuning_0", 0].status == "failed"


def test_a_winner_without_a_mixture_has_the_twin_of_the_base_beside_it(
    sweep_file, tmp_path: Path
) -> None:
    sparse = {"mixture": {"key": "model.network.init_args", "choices": {"no": {"sparse": None}}}}
    process = Driver(known(sweep_file(trials=1, space=sparse)), tmp_path / "folder")
    process.names(process.baselines.next)
    process.names(process.trials.next)
    after = process.names(process.baselines.next)
    assert after == [("trial_0", 1000), ("dense_active_flops", 1000)]


def test_no_worker_waits_for_the_experiments_of_all_points(driver, monkeypatch) -> None:
    tuned: list[Any] = []
    at = Sweep.at

    def counted(self: Sweep, point: Any, tuning: Any = None) -> Any:
        tuned.extend([tuning] if tuning else [])
        return at(self, point, tuning)

    monkeypatch.setattr(Sweep, "at", counted)
    process = driver()
    for expected in range(3):
        assert process.baselines.next() is not None
        assert len(tuned) == expected


@pytest.mark.parametrize(("fresh", "arm"), [(0, ".tuning_1"), (1, "_tuned")])
def test_dense_models_stand_at_their_best(fresh: int, arm: str, sweep_file) -> None:
    """As a level with the runs of the tuning itself; linked is what has the same seeds."""
    sweep = known(sweep_file(trials=2, tuning=RATE, fresh_seeds=fresh))
    losses = {"": 3.0, ".tuning_0": 3.5, ".tuning_1": 2.0}
    records = [
        run(f"dense_active_flops{name}", loss=loss, target="sweeps", profile=sweep.name)
        for name, loss in losses.items()
    ]
    levels = summary(sweep, [], None, records)["baselines"]
    assert {name: level["valid/loss"] for name, level in levels.items()} == {
        "dense_active_flops_tuned": 2.0
    }
    [told] = tags(sweep, [create_trial(value=3.0)], None, records).values()
    assert told["dense_arm"] == f"dense_active_flops{arm}"
    assert told["best"] == "false"


def test_what_was_made_is_not_made_again(driver) -> None:
    process = driver()
    first = process.baselines.next()
    process.end(first)
    process.baselines.next()  # was running when the process was killed
    process = driver()
    assert process.names(process.baselines.next) == BEFORE[1:]
