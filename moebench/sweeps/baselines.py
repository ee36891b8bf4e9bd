"""The runs beside the trials as a source: dense baselines first, fresh seeds at the end."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from moebench.comparison.measures import mean_values
from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.experiment.dense_twin import dense, twin
from moebench.papers.plan import MatchedOn
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.sweeps.arms import Arm, DenseArm, TrialArm
from moebench.sweeps.definition import Sweep
from moebench.sweeps.space import Point
from moebench.sweeps.study import RECORD, Study, known_result, records_in

FINISHED = "moebench.finished"

Planned = tuple[Experiment, Mapping[str, float]]  # with the costs that it shares with its mixture


class Baselines:
    """Hands out the runs of the dense models and, after the trials, those with fresh seeds.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._jobs = self._all()
        self._running: set[Path] = set()
        sweep, twins = study.sweep, len(study.sweep.baselines)
        self._after_trials = (1 + twins) * sweep.fresh_seeds
        before = twins * (1 + len(sweep.tuning_points)) * sweep.seeds
        self._left = before + self._after_trials  # that have not been handed out

    @property
    def done(self) -> bool:
        """Whether all of these runs have been made."""
        return bool(self.study.attributes.get(FINISHED) == self._all_there())

    @property
    def left(self) -> int:
        """How many have not ended; how many twins of the best trial there will be is not known."""
        return 0 if self.done else len(self._running) + self._left

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""
        job = None if self.done else next(self._jobs)
        if job is not None:
            self._running.add(job.folder)
        return job

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Take a record if the run is one of these."""
        ours = job.folder in self._running
        if ours:
            self._running.discard(job.folder)
            self._note(record)
        return ours

    def watch(self, engine: Engine) -> None:
        """Let every run finish."""

    def _all(self) -> Iterator[Job | None]:
        """Yield the runs that are still to do, each made when it is asked for; None: none yet."""
        yield from self._missing(self._before())
        self._left = self._after_trials
        while self._running or not self.study.complete:
            yield None
        after = self._after()
        self._left = len(after)
        yield from self._missing(after)
        while self._running:
            yield None
        self.study.note(FINISHED, self._all_there())
        yield None

    def _missing(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield the runs without a result."""
        for job in jobs:
            self._left -= 1
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
        """Yield the baselines with the trials' seeds, both untuned and tuned."""
        sweep = self.study.sweep
        yield from self._baselines(None, {}, sweep.trial_seeds)
        for number, point in enumerate(sweep.tuning_points):
            arms = [DenseArm(matched, number) for matched in sweep.baselines]
            try:
                tuned = sweep.at({}, point)
            except ValueError:  # each value is valid alone, but not the combination
                for arm, seed in itertools.product(arms, sweep.trial_seeds):
                    self._note(self.study.invalid(arm, seed))
                continue
            for arm in arms:
                made, planned = self._twin(sweep.base, tuned, arm.matched_on)
                yield from (self.study.job(arm, made, n, planned) for n in sweep.trial_seeds)

    def _after(self) -> list[Job]:
        """Return the winner and the baselines, each at its best, with fresh seeds."""
        sweep = self.study.sweep
        best = winner(self.study.trials(TrialState.COMPLETE), sweep)
        if best is None or not sweep.fresh_seeds:
            return []
        arm, experiment = TrialArm(best.number), sweep.at(best.params)
        planned: dict[str, float] = {}
        with suppress(ValueError):  # it has no mixture
            for matched in sweep.baselines:
                planned |= self._twin(experiment, experiment, matched)[1]
        fresh = [self.study.job(arm, experiment, seed, planned) for seed in sweep.later_seeds]
        tuned = best_tuned(sweep, records_in(self.study.attributes))
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
        sweep = self.study.sweep
        arms: dict[Arm, Planned] = {}
        for matched in sweep.baselines:
            at = tuned.get(matched, {})
            base = DenseArm(matched, tuned=matched in tuned)
            arms[base] = self._twin(sweep.base, sweep.at({}, at), matched)
            if best is not None:
                with suppress(ValueError):  # the best has no mixture, or this tuning does not fit
                    own = sweep.at(best.params), sweep.at(best.params, at)
                    made = self._twin(*own, matched)
                    if made[0].hash != arms[base][0].hash:
                        arms[replace(base, twin_of=best.number)] = made
        jobs = itertools.product(seeds, arms.items())
        return [self.study.job(arm, made, seed, planned) for seed, (arm, (made, planned)) in jobs]

    def _twin(self, mixture: Experiment, tuned: Experiment, matched: MatchedOn) -> Planned:
        """Return the dense twin of an experiment, made of the same one tuned, and its plan.

        It is solved for only once in a study: a time measured twice would differ.

        Raises:
            ValueError: if the experiment has no mixture.
        """
        name = f"twin/{matched}/{mixture.hash}"
        if (found := self.study.attributes.get(name)) is None:
            made = twin(mixture, matched)
            found = {"width": made.width, "planned": dict(made.planned)}
            self.study.note(name, found)
        return dense(tuned, found["width"]), found["planned"]


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
