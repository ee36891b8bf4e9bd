"""The runs beside the trials as a source: dense baselines first, fresh seeds at the end."""

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
from moebench.sweeps.arms import Arm, DenseArm, TrialArm
from moebench.sweeps.definition import Sweep
from moebench.sweeps.objective_values import mean_values
from moebench.sweeps.space import Point
from moebench.sweeps.study import RECORD, Study, known_result, records_in
from moebench.sweeps.trials import invalid_record, run_of
from moebench.sweeps.twins import Solved, solved

FINISHED = "moebench.finished"


class Baselines:
    """Hands out the runs of the dense models and, after the trials, those with fresh seeds.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._jobs: Iterator[Job] = iter(())  # of this stage, made when a slot is free
        self._running: set[Path] = set()
        sweep, twins = study.sweep, len(study.sweep.baselines)
        self._stages: list[tuple[Callable[[], Iterable[Job]], int]] = [  # with how many jobs
            (self._before, twins * (1 + len(sweep.tuning_points)) * sweep.seeds),
            (self._after, (1 + twins) * sweep.fresh_seeds),
        ]
        self._in_stage = 0  # jobs of this stage that have not been handed out

    @property
    def done(self) -> bool:
        """Whether all of these runs have been made."""
        return bool(self.study.attributes.get(FINISHED) == self._all_there())

    @property
    def left(self) -> int:
        """How many have not ended; how many twins of the best trial there will be is not known."""
        later = sum(count for _, count in self._stages)
        return 0 if self.done else len(self._running) + self._in_stage + later

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""
        while not self.done:
            if (job := next(self._jobs, None)) is not None:
                self._running.add(job.folder)
                return job
            self._in_stage = 0
            if self._running or (len(self._stages) == 1 and not self.study.complete):
                return None
            if self._stages:
                make, self._in_stage = self._stages.pop(0)
                self._jobs = self._missing(make())
            else:
                self.study.note(FINISHED, self._all_there())
        return None

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Take a record if the run is one of these."""
        ours = job.folder in self._running
        if ours:
            self._running.discard(job.folder)
            self._note(record)
        return ours

    def watch(self, engine: Engine) -> None:
        """Let every run finish."""

    def _missing(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield the runs of a stage that are still to do."""
        for job in jobs:
            self._in_stage -= 1
            text = self.study.attributes.get(f"{RECORD}/{job.arm}/{job.seed}")
            record = known_result(job, text)
            if record is None:
                yield job
            else:
                self._note(record)

    def _note(self, record: RunRecord) -> None:
        """Keep a record in the study."""
        self.study.note(f"{RECORD}/{record.arm}/{record.seed}", record.to_json())

    def _all_there(self) -> list[int | str]:
        """Return what a finished sweep consists of: trials, fresh seeds and baselines."""
        sweep = self.study.sweep
        return [sweep.trials, sweep.fresh_seeds, *sweep.baselines]

    def _before(self) -> Iterator[Job]:
        """Return the baselines with the trials' seeds, both untuned and tuned."""
        sweep = self.study.sweep
        yield from self._baselines(None, {}, sweep.trial_seeds)
        twins = self._solved(sweep.base)
        for number, point in enumerate(sweep.tuning_points):
            arms = {DenseArm(matched, number): found for matched, found in twins.items()}
            try:
                tuned = sweep.at({}, point)
            except ValueError:  # each value is valid alone, but not the combination
                for arm, seed in itertools.product(arms, sweep.trial_seeds):
                    self._note(invalid_record(sweep, arm, seed))
                continue
            for arm, found in arms.items():
                made = dense(tuned, found.width)
                yield from (self._run(arm, made, found.planned, n) for n in sweep.trial_seeds)

    def _after(self) -> list[Job]:
        """Return the winner and the baselines, each at its best, with fresh seeds."""
        sweep = self.study.sweep
        best = winner(self.study.trials(TrialState.COMPLETE), sweep)
        if best is None or not sweep.fresh_seeds:
            return []
        arm, experiment = TrialArm(best.number), sweep.at(best.params)
        planned: dict[str, float] = {}
        with suppress(ValueError):  # it has no mixture
            for found in self._solved(experiment).values():
                planned |= found.planned
        fresh = [self._run(arm, experiment, planned, seed) for seed in sweep.later_seeds]
        tuned = best_tuned(sweep, records_in(self.study.attributes))
        seeds = [*sweep.trial_seeds, *sweep.later_seeds]
        runs = fresh + self._baselines(best, tuned, seeds)
        self._in_stage = len(runs)
        return runs

    def _baselines(
        self, best: FrozenTrial | None, tuned: Mapping[str, Point], seeds: Sequence[int]
    ) -> list[Job]:
        """Return the runs of the base's dense twins, and of the best trial's where they differ.

        Args:
            best: the best trial; None: there is none yet.
            tuned: matched cost -> tuning point, where one beats the untuned baseline.
            seeds: one run each.
        """
        sweep = self.study.sweep
        arms: dict[Arm, tuple[Experiment, dict[str, float]]] = {}
        for matched in sweep.baselines:
            at = tuned.get(matched, {})
            base = DenseArm(matched, tuned=matched in tuned)
            arms[base] = self._twin({}, at, matched)
            if best is not None:
                with suppress(ValueError):  # the best has no mixture, or this tuning does not fit
                    own = self._twin(best.params, at, matched)
                    if own[0].hash != arms[base][0].hash:
                        arms[replace(base, twin_of=best.number)] = own
        return [self._run(arm, *found, seed) for seed in seeds for arm, found in arms.items()]

    def _twin(
        self, point: Point, tuned: Point, matched: MatchedOn
    ) -> tuple[Experiment, dict[str, float]]:
        """Return the dense twin of the experiment at one point, tuned to another, and its plan."""
        found = solved(self.study.optuna, self.study.sweep.at(point), matched)
        return dense(self.study.sweep.at(point, tuned), found.width), found.planned

    def _solved(self, experiment: Experiment) -> dict[MatchedOn, Solved]:
        """Return the dense twins of an experiment by matched cost."""
        study = self.study.optuna
        return {cost: solved(study, experiment, cost) for cost in self.study.sweep.baselines}

    def _run(self, arm: Arm, made: Experiment, planned: Mapping[str, float], seed: int) -> Job:
        return run_of(self.study.sweep, self.study.folder, arm, made, seed, planned)


def winner(trials: Sequence[FrozenTrial], sweep: Sweep) -> FrozenTrial | None:
    """Return the feasible trial with the best first objective; of equals, the earliest."""
    sign = 1 if next(iter(sweep.objectives.values())) == "minimize" else -1
    allowed = [trial for trial in trials if not passed(trial)]
    ranked = sorted(allowed, key=lambda trial: (sign * trial.values[0], trial.number))
    return ranked[0] if ranked else None


def passed(trial: FrozenTrial) -> list[str]:
    """Return the constraints that a trial does not keep."""
    return [name for name, over in trial.constraints.items() if over > 0]


def best_arm(sweep: Sweep, tuned: Mapping[str, Point], matched: MatchedOn) -> DenseArm:
    """Return the arm that ran a baseline at its best with the trials' seeds.

    Args:
        sweep: the sweep.
        tuned: the result of `best_tuned`.
        matched: the matched cost.
    """
    if matched not in tuned:
        return DenseArm(matched)
    return DenseArm(matched, sweep.tuning_points.index(tuned[matched]))


def best_tuned(sweep: Sweep, records: Sequence[RunRecord]) -> dict[str, Point]:
    """Return matched cost -> the tuning point that beats the untuned twin.

    Compares the mean of the first objective over the trials' seeds; points with an unfinished run
    lose.
    """
    objective, direction = next(iter(sweep.objectives.items()))
    sign = 1 if direction == "minimize" else -1

    def value(arm: DenseArm) -> float:
        runs = [r for r in records if r.arm == arm.name and r.seed in sweep.trial_seeds]
        if len(runs) < len(sweep.trial_seeds) or any(r.status != "finished" for r in runs):
            return math.inf
        return sign * mean_values(runs, [objective])[0]

    found: dict[str, Point] = {}
    for matched in sweep.baselines:
        values = [value(DenseArm(matched, n)) for n in range(len(sweep.tuning_points))]
        if values and min(values) < value(DenseArm(matched)):
            found[matched] = sweep.tuning_points[values.index(min(values))]
    return found
