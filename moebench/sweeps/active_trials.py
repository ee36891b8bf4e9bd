"""The trials that this process is working on, and their runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.experiment import Experiment
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.machine import commit
from moebench.run.recording import start_clean
from moebench.sweeps.definition import SWEEPS, Sweep
from moebench.sweeps.leases import Leases
from moebench.sweeps.running_trial import CACHED, HASH, RECORD, STATUS, WHY, RunningTrial
from moebench.sweeps.trial_queue import TrialQueue

PRUNING = {"NopPruner": "", "WilcoxonPruner": "seeds"}  # all others prune by steps
REUSABLE = (
    "finished",
    "pruned",
    "diverged",
    "out_of_memory",
    "timed_out",
)  # statuses of trials whose result may be copied


def run_of(
    sweep: Sweep,
    folder: Path,
    arm: str,
    experiment: Experiment,
    seed: int,
    planned: Mapping[str, float] | None = None,
) -> Job:
    """Return one run of a sweep; `planned` are the costs for its record."""
    return Job(
        target=SWEEPS,
        profile=sweep.name,
        arm=arm,
        seed=seed,
        experiment=experiment.with_seed(seed),
        folder=folder / arm / f"seed_{seed}",
        planned=planned or {},
        claims=sweep.claims,
    )


def invalid_record(sweep: Sweep, arm: str) -> RunRecord:
    """Return the record of a trial whose point is not a valid configuration."""
    return RunRecord(
        target=SWEEPS,
        profile=sweep.name,
        arm=arm,
        seed=0,
        status="failed",
        config_hash="",
        commit=commit(),
    )


class ActiveTrials:
    """Takes trials, hands out their runs, and reports the results to the study.

    Args:
        queue: the study's queue.
        leases: the leases of this process.
        stop: stops a run that no longer belongs to this process.
    """

    def __init__(self, queue: TrialQueue, leases: Leases, stop: Callable[[Job], None]) -> None:
        self.queue = queue
        self.leases = leases
        self.stop = stop
        self.under_way: dict[int, RunningTrial] = {}
        self.waiting: dict[int, int] = {}  # trial -> the running trial whose result it awaits
        self.running: dict[Path, int] = {}  # folder of a run -> its trial

    @property
    def done(self) -> bool:
        """Whether every trial of the study has its result."""
        return not self.under_way and self.queue.done

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""
        busy = set(self.running.values()) | set(self.waiting)
        for number, trial in self.under_way.items():
            if number not in busy:
                self.running[trial.job.folder] = number
                return trial.job
        while (taken := self.queue.take(self.under_way)) is not None:
            trial = self._begin(taken)
            if taken.number in self.under_way and taken.number not in self.waiting:
                self.running[trial.job.folder] = taken.number
                return trial.job
        return None

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Accept a record if the run belongs to one of these trials."""
        number = self.running.pop(job.folder, None)
        if number is None:
            return False
        if self.leases.holds(self.under_way[number].attributes):
            self.under_way[number].ended(record)
            self._finish(number)
        else:
            self._give_up(number)
        return True

    def watch(self, engine: Engine) -> None:
        """Send heartbeats, give up lost trials, prune, and copy results to duplicates."""
        for number, trial in list(self.under_way.items()):
            if not self.leases.beat(trial.attributes):
                self._give_up(number)
                continue
            try:
                trial.watch()
            except UpdateFinishedTrialError:  # finished elsewhere while this process was suspended
                self._give_up(number)
                continue
            if number in self.waiting:
                self._reuse_or_wait(number)

    def _begin(self, taken: optuna.Trial) -> RunningTrial:
        """Set up a trial."""
        sweep, number = self.queue.sweep, taken.number
        attributes, jobs, arm = self.queue.attributes(number), [], f"trial_{number}"
        pruning = PRUNING.get(sweep.pruner.class_name, "steps")
        try:
            experiment = sweep.at(taken.params)
        except ValueError as error:  # each value is valid alone, but not the combination
            attributes.write(WHY, str(error))
            trial = RunningTrial(taken, attributes, [], pruning, status="failed")
            trial.note(invalid_record(sweep, arm))
        else:
            attributes.write(HASH, experiment.hash)
            jobs = [
                run_of(sweep, self.queue.folder, arm, experiment, seed)
                for seed in sweep.trial_seeds
            ]
            trial = RunningTrial(taken, attributes, jobs, pruning)
        self.under_way[number] = trial
        if not trial.status:
            self._reuse_or_wait(number)
        if number in self.under_way:
            self._finish(number)
        return trial

    def _reuse_or_wait(self, number: int) -> None:
        """Copy the result of an earlier trial with the same configuration, or wait for it."""
        trial = self.under_way[number]
        self.waiting.pop(number, None)
        found = [other for other in self.queue.trials() if other.number < number]
        same = [t for t in found if t.user_attrs.get(HASH) == trial.jobs[0].experiment.hash]
        for other in same:
            if other.user_attrs.get(STATUS) in REUSABLE and other.state.is_finished():
                self._copy(trial, other)
                self._finish(number)
                return
        if any(other.state is TrialState.RUNNING for other in same):
            self.waiting[number] = same[0].number

    def _copy(self, trial: RunningTrial, other: FrozenTrial) -> None:
        """Copy the records of another trial."""
        trial.records = []
        trial.attributes.write(CACHED, other.user_attrs.get(CACHED, other.number))
        for job in trial.jobs:
            text = other.user_attrs.get(f"{RECORD}/{job.seed}")
            if text is not None:
                start_clean(job)
                record = replace(RunRecord.from_json(text), arm=job.arm)
                write(record, job.record_path)
                trial.note(record)
        trial.status = other.user_attrs[STATUS]

    def _finish(self, number: int) -> None:
        """Report a finished trial to the study, if it still belongs to this process."""
        trial = self.under_way[number]
        if not trial.status:
            return
        del self.under_way[number]
        if self.leases.holds(trial.attributes):
            trial.finish(self.queue.study, list(self.queue.sweep.objectives))

    def _give_up(self, number: int) -> None:
        """Drop a trial that another process has taken over."""
        trial = self.under_way.pop(number)
        self.waiting.pop(number, None)
        for job in trial.jobs:
            if self.running.pop(job.folder, None) is not None:
                self.stop(job)


def records_in(attributes: Mapping[str, object]) -> list[RunRecord]:
    """Return the records among the attributes of a trial or study, ordered by arm and seed."""
    texts = [text for name, text in attributes.items() if name.startswith(f"{RECORD}/")]
    found = [RunRecord.from_json(str(text)) for text in texts]
    return sorted(found, key=lambda record: (record.arm, record.seed))
