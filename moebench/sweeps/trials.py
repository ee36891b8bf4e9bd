"""The trials of a study as a source of runs."""

from dataclasses import replace
from pathlib import Path

import optuna

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.run.recording import start_clean
from moebench.sweeps.arms import TrialArm
from moebench.sweeps.open_trial import OpenTrial
from moebench.sweeps.study import CACHED, HASH, STATUS, WHY, Study, records_in

PRUNING = {"NopPruner": "", "WilcoxonPruner": "seeds"}  # all others prune by steps
# Statuses of trials whose result answers another of the same configuration.
REUSABLE = frozenset({"finished", "pruned", "diverged", "out_of_memory", "timed_out"})


class Trials:
    """Asks a study for trials, hands out their runs, and tells it the results.

    Of trials with the same configuration the first one runs, and answers the others.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._open: dict[int, OpenTrial] = {}
        self._running: dict[Path, tuple[Job, int]] = {}  # by the folder of the run: of which trial
        told = [trial for trial in study.trials() if trial.state.is_finished()]
        known = [(t.user_attrs.get(HASH), t) for t in told if t.user_attrs.get(STATUS) in REUSABLE]
        # Hash of a configuration -> the trial that answers for it.
        self._answers = {name: trial.number for name, trial in reversed(known)}

    @property
    def done(self) -> bool:
        """Whether every trial of the study has its result."""
        return not self._open and not self.study.untold

    @property
    def left(self) -> int:
        """How many runs have not ended; those of duplicates will not be made."""
        ended = sum(len(trial.records) + len(trial.ahead) for trial in self._open.values())
        return self.study.untold * self.study.sweep.seeds - ended

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""
        for number, trial in self._open.items():
            if (job := self._start(number, trial)) is not None:
                return job
        while (asked := self.study.ask()) is not None:
            trial = self._open[asked.number] = self._opened(asked)
            self._settle(asked.number)
            if (job := self._start(asked.number, trial)) is not None:
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

    def _start(self, number: int, trial: OpenTrial) -> Job | None:
        """Return the next run of a trial, unless that is over or waits for another."""
        if trial.status or trial.awaited is not None or (job := trial.next()) is None:
            return None
        self._running[job.folder] = job, number
        return job

    def _opened(self, asked: optuna.Trial) -> OpenTrial:
        """Return a trial that has been asked for, with its runs."""
        study, arm = self.study, TrialArm(asked.number)
        try:
            experiment = study.sweep.at(asked.params)
        except ValueError as error:  # each value is valid alone, but not the combination
            asked.set_user_attr(WHY, str(error))
            trial = OpenTrial(asked, [], status="failed")
            trial.note(study.invalid(arm, 0))
            return trial
        asked.set_user_attr(HASH, experiment.hash)
        jobs = [study.job(arm, experiment, seed) for seed in study.sweep.trial_seeds]
        return OpenTrial(asked, jobs, PRUNING.get(study.sweep.pruner.class_name, "steps"))

    def _settle(self, number: int) -> None:
        """Let a trial go on with what is known of it, be answered by another, or wait for that."""
        trial = self._open[number]
        if trial.jobs:
            first = self._answers.setdefault(trial.jobs[0].experiment.hash, number)
            trial.awaited = first if first != number and first in self._open else None
            if trial.awaited is not None:
                return
            if first == number:
                trial.take_known()
            else:
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
        values = trial.values(list(self.study.sweep.objectives), self.study.sweep.constraints)
        self.study.tell(trial.trial, trial.status, values)
        del self._open[number]
        if trial.jobs and trial.status not in REUSABLE:
            self._answers.pop(trial.jobs[0].experiment.hash, None)
        for waiting in [one for one, other in self._open.items() if other.awaited == number]:
            self._settle(waiting)
