"""The queue of a study: exactly the trials asked for, each taken by one process only.

All trials are queued before the first is taken, so their number is exact however many machines take
part. Optuna lets only one process move a trial from waiting to running: that process owns it. A
trial whose owner died is continued under the same number.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from moebench.evidence.record_files import json_of, write_whole
from moebench.sweeps.definition import Sweep
from moebench.sweeps.dependencies import with_version
from moebench.sweeps.differences import differences
from moebench.sweeps.leases import OWNER, Attributes, Leases
from moebench.sweeps.space import Point
from moebench.sweeps.strategies import SEES_NO_RESULTS, draw, make_pruner, make_sampler

IDENTITY = "moebench.sweep"
PLANNED = "moebench.planned"
POINT = "point.json"  # in a trial's folder; a lost study is rebuilt from these files


class StudyChanged(ValueError):
    """The study of a sweep's name belongs to another search.

    Args:
        what: which study, and what has changed.
        way_out: how to start another one.
    """

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"{what}; {way_out}")
        self.what = what


class TrialQueue:
    """A study and its queue.

    Args:
        sweep: the sweep.
        storage: where the study is or will be.
        leases: the leases of this process.
        folder: the sweep's folder.
    """

    def __init__(self, sweep: Sweep, storage: BaseStorage, leases: Leases, folder: Path) -> None:
        self.sweep = sweep
        self.storage = storage
        self.leases = leases
        self.folder = folder
        self.agreed = False  # whether the study is known to belong to this sweep
        self.study = optuna.create_study(
            storage=storage,
            sampler=self._sampler(0),
            pruner=make_pruner(sweep.pruner, sweep.base),
            study_name=sweep.name,
            directions=list(sweep.objectives.values()),
            load_if_exists=True,
        )
        self.study_id = storage.get_study_id_from_name(sweep.name)
        self.study_attributes = Attributes(
            "study", lambda: self.study.user_attrs, self.study.set_user_attr
        )

    def _sampler(self, number: int) -> Any:
        """Return the sampler of one trial, seeded by its number so that restarts change nothing."""
        if self.sweep.sampler.class_name in SEES_NO_RESULTS:
            return optuna.samplers.RandomSampler()  # never used
        return make_sampler(self.sweep.sampler, self.sweep.space, number)

    def plan(self) -> None:
        """Complete the queue; called only by the leading process."""
        if IDENTITY not in self.study.user_attrs:
            self.study.set_user_attr(IDENTITY, json.dumps(self.sweep.identity()))
        self._agree()
        names = list(self.sweep.objectives)
        if self.study.metric_names != names:  # for other tools that read the study
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Optuna calls them experimental
                self.study.set_metric_names(names)
        have = len(self.trials())
        known = self._known_points() if have < self.sweep.trials else {}
        for number in range(have, self.sweep.trials):
            fixed = {"fixed_params": known[number]} if number in known else {}
            if not self.leases.beat(self.study_attributes):
                return  # another process leads now and will continue
            trial = optuna.create_trial(state=TrialState.WAITING, system_attrs=fixed)
            self.study.add_trial(trial)
        if self.study.user_attrs.get(PLANNED) != self.sweep.trials:
            self.study.set_user_attr(PLANNED, self.sweep.trials)

    def _agree(self) -> None:
        """Refuse a study that belongs to another search, whose leader may have just created it.

        Raises:
            ValueError: as for `refuse_changes`.
        """
        if not self.agreed:
            refuse_changes(self.sweep, self.storage)
            self.agreed = True

    def _known_points(self) -> Mapping[int, Point]:
        """Return the points that are known before their trials are taken."""
        if self.sweep.sampler.class_name in SEES_NO_RESULTS:
            points = draw(self.sweep.sampler, self.sweep.space, self.sweep.trials)
            return dict(enumerate(points))
        return {
            int(path.parent.name.removeprefix("trial_")): json_of(path)
            for path in self.folder.glob(f"trial_*/{POINT}")
            if path.parent.name.removeprefix("trial_").isdecimal()
        }

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in these states, by default all; callers must not modify them."""
        found: list[FrozenTrial] = self.study.get_trials(deepcopy=False, states=states or None)
        return found

    @property
    def done(self) -> bool:
        """Whether all trials exist and have results."""
        planned = self.study.user_attrs.get(PLANNED, 0) >= self.sweep.trials
        return planned and not self.trials(TrialState.WAITING, TrialState.RUNNING)

    def attributes(self, number: int) -> Attributes:
        """Return the attributes of a trial."""
        trial_id = self._id(number)
        return Attributes(
            number,
            lambda: self.storage.get_trial(trial_id).user_attrs,
            lambda key, value: self.storage.set_trial_user_attr(trial_id, key, value),
        )

    def take(self, busy: Mapping[int, object]) -> optuna.Trial | None:
        """Return a trial to work on; None if there is none now.

        Args:
            busy: numbers of the trials that this process is working on.

        Raises:
            ValueError: if the study belongs to another search.
        """
        if IDENTITY not in self.study.user_attrs:
            return None
        self._agree()
        for trial in self.trials(TrialState.RUNNING):
            attributes = self.attributes(trial.number)
            if trial.number in busy or not self.leases.free(attributes):
                continue
            if self.leases.take(attributes):
                return self._open(trial.number)
        for trial in self.trials(TrialState.WAITING):
            if self.storage.set_trial_state_values(self._id(trial.number), TrialState.RUNNING):
                self.attributes(trial.number).write(OWNER, self.leases.owner)
                return self._open(trial.number)
        return None

    def _id(self, number: int) -> int:
        """Return the storage's id for a trial."""
        return int(self.storage.get_trial_id_from_study_id_trial_number(self.study_id, number))

    def _open(self, number: int) -> optuna.Trial:
        """Return a running trial with all parameters set, after writing its point to a file."""
        self.study.sampler = self._sampler(number)
        trial = optuna.Trial(self.study, self._id(number))
        point = {dimension.name: dimension.suggest(trial) for dimension in self.sweep.space}
        folder = self.folder / f"trial_{number}"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / POINT, json.dumps(point) + "\n")
        return trial


def refuse_changes(sweep: Sweep, storage: BaseStorage) -> None:
    """Refuse a sweep that differs from the existing study of the same name.

    Raises:
        StudyChanged: says what changed and how to start another study.
        ValueError: if the study has more trials than asked for, or belongs to another program.
    """
    try:
        study_id = storage.get_study_id_from_name(sweep.name)
    except KeyError:
        return
    attributes = storage.get_study_user_attrs(study_id)
    count = storage.get_n_trials(study_id)
    way_out = f"`--name {sweep.name}_2` starts another study"
    if IDENTITY not in attributes:
        if count:
            raise ValueError(f"name={sweep.name}: another program's study; {way_out}")
        return
    changed = differences(with_version(json.loads(attributes[IDENTITY])), sweep.identity())
    if changed:
        raise StudyChanged(f"study {sweep.name} has changed: {'; '.join(changed[:4])}", way_out)
    if count > sweep.trials:
        raise ValueError(f"trials={sweep.trials}: study {sweep.name} has {count}; {way_out}")
