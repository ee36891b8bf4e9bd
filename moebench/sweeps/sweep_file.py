"""Reads a sweep from its file, and checks it as far as possible without running anything."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.experiment import naming_file, read_yaml
from moebench.papers.home import find_config
from moebench.papers.nearest import all_known
from moebench.papers.plan import MatchedOn
from moebench.sweeps.definition import LOSS, MATCHED, Sweep
from moebench.sweeps.space import Dimension, Point
from moebench.sweeps.space_file import read_space
from moebench.sweeps.strategies import Part, make_pruner, read_part, try_out

LONGEST = 120  # bytes of a name, to which that of data may be added
KEYS = (
    *("experiment", "settings", "space", "objectives", "constraints", "sampler", "pruner"),
    *("trials", "enqueue", "seeds", "fresh_seeds", "baselines", "tuning", "surface"),
)


def read_sweep(path: Path, name: str = "", over: Mapping[str, object] | None = None) -> Sweep:
    """Read a sweep file.

    Args:
        path: the file, or `configs/sweeps/...` of moebench; paths in it are relative to it.
        name: name of the study; empty: the file's own.
        over: configuration keys and values that override the file.

    Raises:
        ValueError: for anything invalid; names key, value and what is allowed.
        FileNotFoundError: if there is no such file.
    """
    content = read_yaml(path := Path(find_config(str(path))))
    with naming_file(path):
        all_known(content, KEYS)
        if missing := [
            key for key in ("experiment", "space", "objectives") if not content.get(key)
        ]:
            raise ValueError(f"{missing[0]}: missing or empty")
        experiment = content["experiment"]
        files = experiment if isinstance(experiment, list) else [experiment]
        settings = {**_map_of(content, "settings"), **(over or {})}
        space = read_space(content["space"])
        sampler = read_part("sampler", content.get("sampler", "TPESampler"))
        sweep = Sweep(
            name=name or path.stem,
            configs=[path.parent / str(file) for file in files],
            settings=settings,
            space=space,
            objectives=_objectives_of(content["objectives"]),
            sampler=sampler,
            pruner=read_part("pruner", content.get("pruner", "NopPruner")),
            trials=_trials(content, sampler, space),
            seeds=_count_of(content, "seeds", 1, 1, FIRST_FRESH_SEED),
            fresh_seeds=_count_of(content, "fresh_seeds", 3, 0),
            baselines=_baselines_of(content.get("baselines", list(MATCHED))),
            tuning=read_space(content["tuning"], "tuning") if "tuning" in content else (),
            surface=_surface_of(content, space),
            constraints=_constraints_of(content),
            first=_first_points(content, space),
        )
        return _fitting(sweep)


def _fitting(sweep: Sweep) -> Sweep:
    """Return the sweep if its parts fit together and the values tried for each name are valid."""
    _check_name(sweep.name)
    if sweep.pruner.class_name != "NopPruner":
        if list(sweep.objectives.items()) != [(LOSS, "minimize")]:
            raise ValueError(
                f"pruner={sweep.pruner.class_name}: watches {LOSS}, which must be the only"
                " objective and minimized; NopPruner prunes nothing"
            )
        if sweep.pruner.class_name == "WilcoxonPruner" and sweep.seeds < 2:
            raise ValueError(f"seeds={sweep.seeds}: WilcoxonPruner compares seeds; needs 2 or more")
    try_out(sweep.sampler, sweep.space, list(sweep.objectives.values()), sweep.constraints)
    if sweep.first and sweep.sampler.class_name == "GridSampler":
        raise ValueError("enqueue: a grid has all its points already")
    if len(sweep.first) > sweep.trials:
        raise ValueError(f"enqueue: {len(sweep.first)} points for {sweep.trials} trials")
    make_pruner(sweep.pruner, sweep.base)
    for dimension in sweep.space:
        for value in dimension.tried:
            sweep.at({dimension.name: value})
    for dimension in sweep.tuning:
        for value in dimension.tried:
            replace(sweep, tuning=[dimension]).at({}, {dimension.name: value})
    if sweep.tuning and not sweep.baselines:
        raise ValueError("tuning: applies to baselines, but there are none")
    return sweep


def _check_name(name: str) -> None:
    """Refuse a name that cannot be that of a folder."""
    if "/" in name or name.startswith("."):
        raise ValueError(f"name={name}: names a folder; no / and no leading .")
    if not (name.strip() and name.isprintable()):
        raise ValueError(f"name={name!r}: names a folder; it takes letters that can be seen")
    if len(name.encode()) > LONGEST:
        raise ValueError(f"name={name[:20]}...: names a folder; at most {LONGEST} bytes long")


def _trials(content: Mapping[str, Any], sampler: Part, space: Sequence[Dimension]) -> int:
    """Return the number of trials; for a grid, the number of its points."""
    if sampler.class_name != "GridSampler":
        return _count_of(content, "trials", 40, 1)
    size = math.prod(len(dimension.grid) for dimension in space)
    if _count_of(content, "trials", size, 1) != size:
        raise ValueError(f"trials={content['trials']}: the grid has {size} points")
    return size


def _map_of(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a map from the file; empty if it has none."""
    value = content.get(key) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{key}={value}: expected keys and values")
    return value


def _count_of(
    content: Mapping[str, Any], key: str, default: int, least: int, most: int = 10**5
) -> int:
    """Return a whole number from the file."""
    value = content.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{key}={value}: expected a whole number from {least} to {most}")
    return value


def _objectives_of(value: object) -> Mapping[str, str]:
    """Return the objectives with their directions."""
    if not isinstance(value, Mapping):
        raise ValueError(f"objectives={value}: expected metrics and directions")
    for name, direction in value.items():
        all_known([direction], ("minimize", "maximize"), f"objectives.{name}=")
    return dict(value)


def _constraints_of(content: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the largest values that a trial may have."""
    found = _map_of(content, "constraints")
    for name, most in found.items():
        if isinstance(most, bool) or not isinstance(most, int | float):
            raise ValueError(f"constraints.{name}={most}: expected a number, the largest allowed")
    return found


def _first_points(content: Mapping[str, Any], space: Sequence[Dimension]) -> Sequence[Point]:
    """Return the points to begin with; the sampler chooses the values that they lack."""
    listed = content.get("enqueue") or []
    if not isinstance(listed, list) or not all(isinstance(point, Mapping) for point in listed):
        raise ValueError(f"enqueue={listed}: expected a list of points")
    known = {dimension.name: dimension for dimension in space}
    found = []
    for number, point in enumerate(listed):
        all_known(point, known, f"enqueue.{number}.")
        try:
            found.append({name: known[name].read(value) for name, value in point.items()})
        except ValueError as error:
            raise ValueError(f"enqueue.{number}: {error}") from None
    return found


def _baselines_of(value: object) -> Sequence[MatchedOn]:
    """Return the costs that baselines match."""
    if not isinstance(value, list):
        raise ValueError(f"baselines={value}: expected a list of {', '.join(MATCHED)}")
    all_known(value, MATCHED, "baselines=")
    return [matched for matched in MATCHED if matched in value]


def _surface_of(content: Mapping[str, Any], space: Sequence[Dimension]) -> Sequence[str]:
    """Return the two names for the heat map; by default the first two."""
    names = [dimension.name for dimension in space]
    chosen = content.get("surface", names[:2])
    if not isinstance(chosen, list) or (chosen != names[:2] and len(chosen) != 2):
        raise ValueError(f"surface={chosen}: expected two names of the space")
    all_known(chosen, names, "surface=")
    return chosen
