"""The runs beside the trials as a source: dense baselines first, fresh seeds at the end."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.experiment.dense_twin import dense, twin
from moebench.papers.plan import MatchedOn
from moebench.run.engine import Engine
from moebench.run.job import Job
from moebench.sweeps.arms import Arm, DenseArm, TrialArm
from moebench.sweeps.best import best_dense, winner
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
        while self._running or self.study.untold:
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
        untuned = [DenseArm(matched) for matched in sweep.baselines]
        yield from self._baselines(untuned, None, sweep.trial_seeds)
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
        dense = best_dense(sweep, records_in(self.study.attributes))
        seeds = [*sweep.trial_seeds, *sweep.later_seeds]
        return fresh + self._baselines(list(dense.values()), best, seeds)

    def _baselines(
        self, dense: Sequence[DenseArm], best: FrozenTrial | None, seeds: Sequence[int]
    ) -> list[Job]:
        """Return the runs of the base's dense twins, and of the best trial's where they differ.

        Args:
            dense: where the base's stand at their best.
            best: the best trial; None: there is none yet.
            seeds: one run each.
        """
        sweep = self.study.sweep
        arms: dict[Arm, Planned] = {}
        for arm in dense:
            at = {} if arm.point is None else sweep.tuning_points[arm.point]
            arms[arm.again] = self._twin(sweep.base, sweep.at({}, at), arm.matched_on)
            if best is not None:
                with suppress(ValueError):  # the best has no mixture, or this tuning does not fit
                    own = sweep.at(best.params), sweep.at(best.params, at)
                    made = self._twin(*own, arm.matched_on)
                    if made[0].hash != arms[arm.again][0].hash:
                        arms[replace(arm.again, twin_of=best.number)] = made
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
