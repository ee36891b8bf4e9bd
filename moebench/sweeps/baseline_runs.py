"""Runs besides the trials: dense baselines first, fresh seeds at the end.

One of the processes that share the study leads and makes these runs; if it dies, another leads.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.experiment.dense_twin import dense
from moebench.papers.plan import MatchedOn
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.sweeps.active_trials import invalid_record, records_in, run_of
from moebench.sweeps.definition import Sweep
from moebench.sweeps.leases import OWNER, Leases
from moebench.sweeps.running_trial import RECORD, known_result, mean_values
from moebench.sweeps.space import Point
from moebench.sweeps.trial_queue import TrialQueue
from moebench.sweeps.twins import Solved, solved

FINISHED = "moebench.finished"
TUNED = "_tuned"  # ends the name of an arm
TUNING = ".tuning_"  # in the name of an arm, before the number of its point


class BaselineRuns:
    """The runs of the leading process.

    Args:
        queue: the study's queue.
        leases: the leases of this process.
        stop: stops a run that no longer belongs to this process.
    """

    def __init__(self, queue: TrialQueue, leases: Leases, stop: Callable[[Job], None]) -> None:
        self.queue = queue
        self.leases = leases
        self.stop = stop
        self.leads = False
        self.jobs: Iterator[Job] = iter(())  # of this stage, created when a worker is free
        self.running: dict[Path, Job] = {}
        self.failed: list[Job] = []  # to be repeated once
        self.tried: set[Path] = set()  # folders of runs already repeated
        self.stages = [self._before, self._after]

    @property
    def done(self) -> bool:
        """Whether all of these runs have been made, by any process."""
        return bool(self.queue.study.user_attrs.get(FINISHED) == self._all_there())

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none, or another process leads."""
        if not self.leads and not self._lead():
            return None
        while (job := self._upcoming()) is None:
            if self.running or (self.stages == [self._after] and not self.queue.done):
                return None
            if not self.stages:
                self.queue.study.set_user_attr(FINISHED, self._all_there())
                return None
            self.jobs = self._missing(self.stages.pop(0)())
        self.running[job.folder] = job
        return job

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Accept a record if the run is one of these; repeat a failed run once."""
        if self.running.pop(job.folder, None) is None:
            return False
        if record.status == "failed" and job.folder not in self.tried:
            self.tried.add(job.folder)
            self.failed.append(job)
        else:
            self._note(record)
        return True

    def watch(self, engine: Engine) -> None:
        """Send the heartbeat of the leader; stop leading if another process has taken over."""
        if self.leads and not self.leases.beat(self.queue.study_attributes):
            self.leads = False
            for job in self.running.values():
                self.stop(job)
            self.jobs, self.failed, self.running = iter(()), [], {}
            self.stages = [self._before, self._after]

    def _lead(self) -> bool:
        """Take the lead if no process has it, and complete the queue."""
        attributes = self.queue.study_attributes
        unclaimed = OWNER not in attributes.read()  # a new study, without a leader to wait for
        if self.done or not (unclaimed or self.leases.free(attributes)):
            return False
        self.leads = self.leases.take(attributes)
        if self.leads:
            self.queue.plan()
        return self.leads

    def _upcoming(self) -> Job | None:
        """Return the next run of the stage; None after the last."""
        return self.failed.pop(0) if self.failed else next(self.jobs, None)

    def _missing(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield the runs of a stage that are still to do."""
        for job in jobs:
            name = f"{RECORD}/{job.arm}/{job.seed}"
            record = job.result() or known_result(job, name, self.queue.study_attributes)
            self.leases.beat(self.queue.study_attributes)  # reading many records takes a while
            if record is None:
                yield job
            else:
                self._note(record)

    def _note(self, record: RunRecord) -> None:
        """Store a record where every machine finds it."""
        name, text = f"{RECORD}/{record.arm}/{record.seed}", record.to_json()
        if self.queue.study.user_attrs.get(name) != text:
            self.queue.study.set_user_attr(name, text)

    def _all_there(self) -> list[int | str]:
        """Return what a finished sweep consists of: trials, fresh seeds and baselines."""
        sweep = self.queue.sweep
        return [sweep.trials, sweep.fresh_seeds, *sweep.baselines]

    def _before(self) -> Iterator[Job]:
        """Return the baselines with the trials' seeds, both untuned and tuned."""
        sweep = self.queue.sweep
        yield from self._baselines(None, {}, sweep.trial_seeds)
        twins = self._solved(sweep.base)
        for number, point in enumerate(sweep.tuning_points):
            arms = {tuning_arm(matched, number): found for matched, found in twins.items()}
            try:
                tuned = sweep.at({}, point)
            except ValueError:  # each value is valid alone, but not the combination
                for arm, seed in itertools.product(arms, sweep.trial_seeds):
                    self._note(replace(invalid_record(sweep, arm), seed=seed))
                continue
            for arm, found in arms.items():
                made = dense(tuned, found.width)
                yield from (self._run(arm, made, found.planned, n) for n in sweep.trial_seeds)

    def _after(self) -> list[Job]:
        """Return the winner and the baselines, each at its best, with fresh seeds."""
        sweep = self.queue.sweep
        best = winner(self.queue.trials(TrialState.COMPLETE), sweep)
        if best is None or not sweep.fresh_seeds:
            return []
        arm, experiment = f"trial_{best.number}", sweep.at(best.params)
        planned: dict[str, float] = {}
        with suppress(ValueError):  # it has no mixture
            for found in self._solved(experiment).values():
                planned |= found.planned
        fresh = [self._run(arm, experiment, planned, seed) for seed in sweep.later_seeds]
        tuned = best_tuned(sweep, records_in(self.queue.study.user_attrs))
        seeds = [*sweep.trial_seeds, *sweep.later_seeds]
        return fresh + self._baselines(best, tuned, seeds)

    def _baselines(
        self, best: FrozenTrial | None, tuned: Mapping[str, Point], seeds: Sequence[int]
    ) -> list[Job]:
        """Return the runs of the base's dense twins, and of the best trial's where they differ.

        Args:
            best: the best trial; None: there is none yet.
            tuned: matched cost -> tuning point, where one beats the untuned baseline.
            seeds: one run each.
        """
        sweep, arms = self.queue.sweep, {}
        for matched in sweep.baselines:
            at = tuned.get(matched, {})
            name = f"dense_{matched}" + (TUNED if at else "")
            arms[name] = self._twin({}, at, matched)
            if best is not None:
                with suppress(ValueError):  # the best has no mixture, or this tuning does not fit
                    own = self._twin(best.params, at, matched)
                    if own[0].hash != arms[name][0].hash:
                        arms[name + of_trial(best.number)] = own
        return [self._run(arm, *found, seed) for seed in seeds for arm, found in arms.items()]

    def _twin(
        self, point: Point, tuned: Point, matched: MatchedOn
    ) -> tuple[Experiment, dict[str, float]]:
        """Return the dense twin of the experiment at one point, tuned to another, and its plan."""
        found = solved(self.queue.study, self.queue.sweep.at(point), matched)
        return dense(self.queue.sweep.at(point, tuned), found.width), found.planned

    def _solved(self, experiment: Experiment) -> dict[MatchedOn, Solved]:
        """Return the dense twins of an experiment by matched cost."""
        study = self.queue.study
        return {cost: solved(study, experiment, cost) for cost in self.queue.sweep.baselines}

    def _run(self, arm: str, made: Experiment, planned: Mapping[str, float], seed: int) -> Job:
        return run_of(self.queue.sweep, self.queue.folder, arm, made, seed, planned)


def winner(trials: Sequence[FrozenTrial], sweep: Sweep) -> FrozenTrial | None:
    """Return the trial with the best first objective; of equals, the earliest."""
    sign = 1 if next(iter(sweep.objectives.values())) == "minimize" else -1
    ranked = sorted(trials, key=lambda trial: (sign * trial.values[0], trial.number))
    return ranked[0] if ranked else None


def of_trial(number: int) -> str:
    """Return the suffix of a dense twin's name that says which trial it belongs to."""
    return f"_of_trial_{number}"


def tuning_arm(matched_on: str, number: int) -> str:
    """Return the name of a dense twin's arm at one of its tuning points."""
    return f"dense_{matched_on}{TUNING}{number}"


def best_arm(sweep: Sweep, tuned: Mapping[str, Point], matched: str) -> str:
    """Return the arm that ran a baseline at its best with the trials' seeds.

    Args:
        sweep: the sweep.
        tuned: the result of `best_tuned`.
        matched: the matched cost.
    """
    if matched not in tuned:
        return f"dense_{matched}"
    return tuning_arm(matched, sweep.tuning_points.index(tuned[matched]))


def best_tuned(sweep: Sweep, records: Sequence[RunRecord]) -> dict[str, Point]:
    """Return matched cost -> the tuning point that beats the untuned twin.

    Compares the mean of the first objective over the trials' seeds; points with an unfinished run
    lose.
    """
    objective, direction = next(iter(sweep.objectives.items()))
    sign = 1 if direction == "minimize" else -1

    def value(arm: str) -> float:
        runs = [r for r in records if r.arm == arm and r.seed in sweep.trial_seeds]
        if len(runs) < len(sweep.trial_seeds) or any(r.status != "finished" for r in runs):
            return math.inf
        return sign * mean_values(runs, [objective])[0]

    found: dict[str, Point] = {}
    for matched in sweep.baselines:
        values = [value(tuning_arm(matched, n)) for n in range(len(sweep.tuning_points))]
        if values and min(values) < value(f"dense_{matched}"):
            found[matched] = sweep.tuning_points[values.index(min(values))]
    return found
