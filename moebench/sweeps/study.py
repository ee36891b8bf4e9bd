"""A study: points are asked for, results are told, and what it holds is enough to go on.

One driver at a time owns it; workers train and know nothing of it, so killing one cannot harm it.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from moebench.evidence.record import SWEEPS, RunRecord
from moebench.evidence.record_files import json_of, write_whole
from moebench.experiment import Experiment
from moebench.run.job import Job
from moebench.run.machine import commit
from moebench.sweeps.arms import Arm, TrialArm
from moebench.sweeps.definition import Sweep
from moebench.sweeps.identity import IDENTITY, identity, refuse_changes
from moebench.sweeps.space import Point
from moebench.sweeps.strategies import SEES_NO_RESULTS, make_pruner, make_sampler

STATUS, RECORD, HASH, WHY, CACHED = "status", "record", "config_hash", "why", "cached_from"
STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}  # all others: FAIL
POINT = "point.json"  # in a trial's folder; a lost study is made again from these files


class Study:
    """A sweep's study in its storage.

    Args:
        sweep: the sweep.
        storage: where the study is or will be.
        folder: the sweep's folder, locked by this process.

    Raises:
        ValueError: if the study belongs to another search.
    """

    def __init__(self, sweep: Sweep, storage: BaseStorage, folder: Path) -> None:
        self.sweep = sweep
        self.folder = folder
        self.optuna = optuna.create_study(
            storage=storage,
            sampler=self._sampler(0),
            pruner=make_pruner(sweep.pruner, sweep.base),
            study_name=sweep.name,
            directions=list(sweep.objectives.values()),
            load_if_exists=True,
        )
        refuse_changes(sweep, storage)
        self.attributes = dict(attributes_in(storage, sweep.name))  # this process alone adds
        if IDENTITY not in self.attributes:
            self.note(IDENTITY, json.dumps(identity(sweep)))
        names = list(sweep.objectives)
        if self.optuna.metric_names != names:  # for other tools that read the study
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Optuna calls them experimental
                self.optuna.set_metric_names(names)
        trials = self.trials()
        self._interrupted = [one.number for one in trials if one.state is TrialState.RUNNING]
        self._waiting = [one.number for one in trials if one.state is TrialState.WAITING]
        self._count = len(trials)
        self.untold: int = sweep.trials - sum(one.state.is_finished() for one in trials)

    def note(self, name: str, value: object) -> None:
        """Note something of the study as a whole, unless it is there already."""
        if self.attributes.get(name) != value:
            self.optuna.set_user_attr(name, value)
            self.attributes[name] = value

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in these states, by default all; callers must not modify them."""
        found: list[FrozenTrial] = self.optuna.get_trials(deepcopy=False, states=states or None)
        return found

    def records(self) -> list[RunRecord]:
        """Return the records of all runs that have ended, those beside the trials included."""
        own = [record for trial in self.trials() for record in records_in(trial.user_attrs)]
        beside = records_in(self.attributes)
        return list({(record.arm, record.seed): record for record in [*own, *beside]}.values())

    def job(
        self, arm: Arm, made: Experiment, seed: int, planned: Mapping[str, float] | None = None
    ) -> Job:
        """Return a run; `planned` are the costs for its record."""
        return Job(
            target=SWEEPS,
            profile=self.sweep.name,
            arm=arm.name,
            seed=seed,
            experiment=made.with_seed(seed),
            folder=self.folder / arm.name / f"seed_{seed}",
            planned=planned or {},
            claims=self.sweep.claims,
        )

    def invalid(self, arm: Arm, seed: int) -> RunRecord:
        """Return the record of a run whose point is not a valid configuration."""
        return RunRecord(
            target=SWEEPS,
            profile=self.sweep.name,
            arm=arm.name,
            seed=seed,
            status="failed",
            config_hash="",
            commit=commit(),
        )

    def ask(self) -> optuna.Trial | None:
        """Return a trial with its point chosen: an interrupted one, or the next; None after all."""
        if self._interrupted:
            trial = self._again(self._interrupted.pop(0))
        else:
            if not self._waiting:
                if self._count >= self.sweep.trials:
                    return None
                if known := self._known_point(self._count):
                    self.optuna.enqueue_trial(dict(known))
                self._waiting.append(self._count)
                self._count += 1
            number = self._waiting.pop(0)
            # Seeded by the number of the trial, so that an interruption changes no point.
            self.optuna.sampler = self._sampler(number)
            trial = self.optuna.ask()
        point = {dimension.name: dimension.suggest(trial) for dimension in self.sweep.space}
        folder = self.folder / TrialArm(trial.number).name
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / POINT, json.dumps(point) + "\n")
        return trial

    def tell(self, trial: optuna.Trial, status: str, values: Sequence[float] | None) -> None:
        """Tell how a trial ended, and what it came to if it finished."""
        trial.set_user_attr(STATUS, status)
        self.optuna.tell(trial, values, STATES.get(status, TrialState.FAIL))
        self.untold -= 1

    def _again(self, number: int) -> optuna.Trial:
        """Return an interrupted trial."""
        [frozen] = [one for one in self.trials(TrialState.RUNNING) if one.number == number]
        self.optuna.sampler = self._sampler(number)
        return optuna.Trial(self.optuna, frozen._trial_id)

    def _sampler(self, number: int) -> Any:
        """Return the sampler of one trial."""
        if self.sweep.sampler.class_name in SEES_NO_RESULTS:
            return optuna.samplers.RandomSampler()  # never used
        return make_sampler(self.sweep.sampler, self.sweep.space, number)

    def _known_point(self, number: int) -> Point:
        """Return what is known of a point before its trial is asked for; its file has all of it."""
        path = self.folder / TrialArm(number).name / POINT
        points = self.sweep.known_points
        known = points[number] if number < len(points) else {}
        if len(known) < len(self.sweep.space) and path.exists():
            known = json_of(path)
        return known


def records_in(attributes: Mapping[str, object]) -> list[RunRecord]:
    """Return the records among the attributes of a trial or study, ordered by arm and seed."""
    texts = [text for name, text in attributes.items() if name.startswith(f"{RECORD}/")]
    found = [RunRecord.from_json(str(text)) for text in texts]
    return sorted(found, key=lambda record: (record.arm, record.seed))


def attributes_in(storage: BaseStorage, name: str) -> Mapping[str, Any]:
    """Return what a storage has noted of a study; nothing if it has no such study."""
    try:
        found: Mapping[str, Any] = storage.get_study_user_attrs(
            storage.get_study_id_from_name(name)
        )
    except KeyError:
        return {}
    return found


def known_result(job: Job, text: object) -> RunRecord | None:
    """Return the result of a job: that in its folder, or else that which its study has; or None.

    Args:
        job: the job.
        text: the record in the study; None if there is none.
    """
    if (result := job.result()) is not None or text is None:
        return result
    record = RunRecord.from_json(str(text))
    return record if record.status != "failed" and not job.differs(record) else None
