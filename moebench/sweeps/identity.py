"""What must stay the same throughout a study: the search, its data, all code."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.storages import BaseStorage

from moebench import __version__
from moebench.experiment import Experiment
from moebench.sweeps.definition import Sweep
from moebench.sweeps.space import Dimension

IDENTITY = "moebench.sweep"  # attribute of a study


class StudyChanged(ValueError):
    """The study of a sweep's name belongs to another search.

    Args:
        what: which study, and what has changed.
        way_out: how to start another one.
    """

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"{what}; {way_out}")
        self.what = what


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
    changed = differences(json.loads(attributes[IDENTITY]), identity(sweep))
    if changed:
        raise StudyChanged(f"study {sweep.name} has changed: {'; '.join(changed[:4])}", way_out)
    if count > sweep.trials:
        raise ValueError(f"trials={sweep.trials}: study {sweep.name} has {count}; {way_out}")


def identity(sweep: Sweep) -> dict[str, Any]:
    """Return what must stay the same, as plain JSON data; what there is none of has no key."""
    data = sweep.data
    version = None if data is None or data.version == 1 else data.version
    found = {
        "space": of_space(sweep.space),
        "tuning": of_space(sweep.tuning),
        "objectives": dict(sweep.objectives),
        "constraints": dict(sweep.constraints),
        "enqueue": list(sweep.first),
        "sampler": sweep.sampler.identity(),
        "pruner": sweep.pruner.identity(),
        "seeds": sweep.seeds,
        "first_seed": sweep.first_seed,
        "experiment": dict(sweep.base.config),
        "moebench": __version__,
        "data": data and data.content_hash,
        "data_version": version,
        "code": {name: mark for one in _with_classes(sweep) for name, mark in one.code.items()},
    }
    return {name: value for name, value in found.items() if value}


def of_space(space: Sequence[Dimension]) -> dict[str, Any]:
    """Return what must stay the same of a space."""
    return {
        dimension.name: {
            "key": ", ".join(dimension.keys),
            **({"values": list(dimension.values)} if dimension.values else {}),
            **({"choices": list(dimension.choices.values())} if dimension.choices else {}),
            **({} if dimension.values else {"low": dimension.low, "high": dimension.high}),
            **({"log": True} if dimension.log else {}),
            **({} if dimension.step is None else {"step": dimension.step}),
        }
        for dimension in space
    }


def _with_classes(sweep: Sweep) -> Iterator[Experiment]:
    """Yield the base and the experiment at every choice that may name another class."""
    yield sweep.base
    for dimension in sweep.space:
        for value in dimension.ends:
            if not isinstance(value, int | float):
                yield sweep.at({dimension.name: value})


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Return one line per change of JSON data, such as `space.factor.low: 1.0 is now 0.5`."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        told, now = json.dumps(old), json.dumps(new)
        same = json.loads(told) == json.loads(now)
        return [] if same else [f"{place}: {told} is now {now}"]
    found: list[str] = []
    for key in dict.fromkeys([*old, *new]):
        inside = f"{place}.{key}".lstrip(".")
        if key in old and key in new:
            found += differences(old[key], new[key], inside)
        else:
            found.append(f"{inside} is {'new' if key in new else 'gone'}")
    return found
