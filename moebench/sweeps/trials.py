"""The trials of a study as a source of runs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import optuna

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.experiment import Experiment
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.machine import commit
from moebench.run.recording import start_clean
from moebench.sweeps.arms import Arm, TrialArm
from moebench.sweeps.definition import SWEEPS, Sweep
from moebench.sweeps.open_trial import OpenTrial
from moebench.sweeps.study import CACHED, HASH, STATUS, WHY, Study, records_in

PRUNING = {"NopPruner": "", "WilcoxonPruner": "seeds"}  # all others prune by steps
# Statuses of trials whose result answers another of the same configuration.
REUSABLE = frozenset({"finished", "pruned", "diverged", "out_of_memory", "timed_out"})


def run_of(
    sweep: Sweep,
    folder: Path,
    arm: Arm,
    experiment: Experiment,
    seed: int,
    planned: Mapping[str, float] | None = None,
) -> Job:
    """Return one run of a sweep; `planned` are the costs for its record."""
    return Job(
        target=SWEEPS,
        profile=sweep.name,
        arm=arm.name,
        seed=seed,
        experiment=experiment.with_seed(seed),
        folder=folder / arm.name / f"seed_{seed}",
        planned=planned or {},
        claims=sweep.claims,
    )


def invalid_record(sweep: Sweep, arm: Arm, seed: int = 0) -> RunRecord:
    """Return the record of a run whose point is not a valid configuration."""
    return RunRecord(
        target=SWEEPS,
        profile=sweep.name,
        arm=arm.name,
        seed=seed,
        status="failed",
        config_hash="",
        commit=commit(),
    )


class Trials:
    """Asks a study for trials, hands out their runs, and tells it the results.

    Of trials with the same configuration the first one runs, and answers the others.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._open: dict[int, OpenTrial] = {}
        self._waiting: dict[int, int] = {}  # trial -> the one whose result it awaits
        self._running: dict[Path, tuple[Job, int]] = {}  # by the folder of the run: of which trial
        told = [trial for trial in study.trials() if trial.state.is_finished()]
        known = [(t.user_attrs.get(HASH), t) for t in told if t.user_attrs.get(STATUS) in REUSABLE]
        # Hash of a configuration -> the trial that answers for it.
        self._answers = {name: trial.number for name, trial in reversed(known)}
        self._untold = study.sweep.trials - len(told)

    @property
    def done(self) -> bool:
        """Whether every trial of the study has its result."""
        return not self._open and self.study.complete

    @property
    def left(self) -> int:
        """How many runs have not ended; those of duplicates will not be made."""
        ended = sum(len(trial.records) + len(trial.ahead) for trial in self._open.values())
        return self._untold * self.study.sweep.seeds - ended

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""
        for number in list(self._open):
            if number not in self._waiting and (job := self._start(number)) is not None:
                return job
        while (asked := self.study.ask()) is not None:
            number = asked.number
            self._begin(asked)
            ready = number in self._open and number not in self._waiting
            if ready and (job := self._start(number)) is not None:
                return job
        return None

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Take a record if the run belongs to one of these trials."""
        if job.folder not in self._running:
            return False
        _, number = self._running.pop(job.folder)
        if number in self._open:  # it may have been over before this run
            self._open[number].take(record)
            self._tell_if_over(number)
        return True

    def watch(self, engine: Engine) -> None:
        """End the runs of trials that are over, and those that the pruner gives up."""
        for folder, (job, number) in list(self._running.items()):
            if number not in self._open:
                engine.cancel(job)
                del self._running[folder]
        for trial in self._open.values():
            if trial.hopeless():
                engine.prune(trial.jobs[0])

    def _start(self, number: int) -> Job | None:
        job = self._open[number].next()
        if job is not None:
            self._running[job.folder] = job, number
        return job

    def _begin(self, asked: optuna.Trial) -> None:
        """Open a trial; it is over at once if its results are known."""
        sweep, arm = self.study.sweep, TrialArm(asked.number)
        try:
            experiment = sweep.at(asked.params)
        except ValueError as error:  # each value is valid alone, but not the combination
            asked.set_user_attr(WHY, str(error))
            trial = OpenTrial(asked, [], status="failed")
            trial.note(invalid_record(sweep, arm))
            self._open[asked.number] = trial
            self._tell_if_over(asked.number)
            return
        asked.set_user_attr(HASH, experiment.hash)
        seeds = sweep.trial_seeds
        jobs = [run_of(sweep, self.study.folder, arm, experiment, seed) for seed in seeds]
        pruning = PRUNING.get(sweep.pruner.class_name, "steps")
        self._open[asked.number] = OpenTrial(asked, jobs, pruning)
        self._answer_or_run(asked.number)

    def _answer_or_run(self, number: int) -> None:
        """Let a trial be answered by another of its configuration, wait for that one, or run."""
        trial = self._open[number]
        first = self._answers.setdefault(trial.jobs[0].experiment.hash, number)
        if first == number:
            self._waiting.pop(number, None)
            trial.take_known()
        elif first in self._open:
            self._waiting[number] = first
            return
        else:
            self._waiting.pop(number, None)
            self._copy(trial, first)
        self._tell_if_over(number)

    def _copy(self, trial: OpenTrial, first: int) -> None:
        """Copy the result of another trial."""
        attributes = self.study.trials()[first].user_attrs
        trial.trial.set_user_attr(CACHED, attributes.get(CACHED, first))
        jobs = {job.seed: job for job in trial.jobs}
        for record in records_in(attributes):
            job = jobs[record.seed]
            start_clean(job)
            copied = replace(record, arm=job.arm)
            write(copied, job.record_path)
            trial.note(copied)
        trial.status = attributes[STATUS]

    def _tell_if_over(self, number: int) -> None:
        """Tell the study the result of a trial that is over, and see who has waited for it."""
        trial = self._open[number]
        if not trial.status:
            return
        trial.tell(list(self.study.sweep.objectives), self.study.sweep.constraints)
        del self._open[number]
        self._untold -= 1
        if trial.jobs and trial.status not in REUSABLE:
            self._answers.pop(trial.jobs[0].experiment.hash, None)
        for waiting in [one for one, first in self._waiting.items() if first == number]:
            self._answer_or_run(waiting)
