"""Reads a sweep from its file, and checks it as far as possible without running anything."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.experiment import naming_file, read_yaml
from moebench.papers.home import find_config
from moebench.papers.nearest import all_known
from moebench.papers.plan import MatchedOn
from moebench.papers.typed_entry import Between, read_entry
from moebench.sweeps.definition import LOSS, MATCHED, Sweep
from moebench.sweeps.space import Dimension, Point
from moebench.sweeps.space_file import read_space
from moebench.sweeps.strategies import SEES_NO_RESULTS, Part, make_pruner, read_part, try_out

LONGEST = 120  # bytes of a name, to which that of data may be added
MOST = 10**5


@dataclass(frozen=True)
class SweepFile:
    """The keys of a sweep file; for what they mean see `Sweep`."""

    experiment: str | Sequence[str]
    space: Any
    objectives: Mapping[str, Literal["minimize", "maximize"]]
    settings: Mapping[str, Any] | None = None
    constraints: Mapping[str, float] | None = None
    sampler: Any = "TPESampler"
    pruner: Any = "NopPruner"
    trials: Annotated[int, Between(1, MOST)] | None = None
    enqueue: Sequence[Mapping[str, Any]] | None = None
    seeds: Annotated[int, Between(1, FIRST_FRESH_SEED)] = 1
    first_seed: Annotated[int, Between(0, MOST)] = 0
    fresh_seeds: Annotated[int, Between(0, MOST)] = 3
    baselines: Sequence[MatchedOn] = MATCHED
    tuning: Any = None
    surface: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for name in ("experiment", "space", "objectives"):
            if not getattr(self, name):
                raise ValueError(f"{name}: missing or empty")


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
        file: SweepFile = read_entry(SweepFile, content)
        files = [file.experiment] if isinstance(file.experiment, str) else file.experiment
        space, sampler = read_space(file.space), read_part("sampler", file.sampler)
        names = [dimension.name for dimension in space]
        sweep = Sweep(
            name=name or path.stem,
            configs=[path.parent / one for one in files],
            settings={**(file.settings or {}), **(over or {})},
            space=space,
            objectives=file.objectives,
            sampler=sampler,
            pruner=read_part("pruner", file.pruner),
            trials=_trials(file.trials, sampler, space),
            seeds=file.seeds,
            first_seed=file.first_seed,
            fresh_seeds=file.fresh_seeds,
            baselines=[matched for matched in MATCHED if matched in file.baselines],
            tuning=() if file.tuning is None else read_space(file.tuning, "tuning"),
            surface=names[:2] if file.surface is None else file.surface,
            constraints=file.constraints or {},
            first=_first_points(file.enqueue or [], space),
        )
        return _fitting(sweep)


def _fitting(sweep: Sweep) -> Sweep:
    """Return the sweep if its parts fit together and the values tried for each name are valid."""
    _check_name(sweep.name)
    names = [dimension.name for dimension in sweep.space]
    all_known(sweep.surface, names, "surface=")
    if len(sweep.surface) != min(2, len(names)):
        raise ValueError(f"surface={sweep.surface}: expected two names of the space")
    if sweep.pruner.class_name != "NopPruner":
        if list(sweep.objectives.items()) != [(LOSS, "minimize")]:
            raise ValueError(
                f"pruner={sweep.pruner.class_name}: watches {LOSS}, which must be the only"
                " objective and minimized; NopPruner prunes nothing"
            )
        if sweep.pruner.class_name == "WilcoxonPruner" and sweep.seeds < 2:
            raise ValueError(f"seeds={sweep.seeds}: WilcoxonPruner compares seeds; needs 2 or more")
    _check_seeds(sweep)
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


def _check_seeds(sweep: Sweep) -> None:
    """Refuse a search whose trials use the seeds that are to judge what it has chosen."""
    last = sweep.trial_seeds[-1]
    chooses = (
        sweep.sampler.class_name not in SEES_NO_RESULTS
        or sweep.pruner.class_name != "NopPruner"
        or sweep.fresh_seeds
        or sweep.baselines
    )
    if chooses and last >= FIRST_FRESH_SEED:
        raise ValueError(
            f"first_seed={sweep.first_seed}: trials would have seeds up to {last}, and those from"
            f" {FIRST_FRESH_SEED} are for what a search chooses; nothing is chosen with"
            f" {', '.join(SEES_NO_RESULTS)}, NopPruner, fresh_seeds: 0 and baselines: []"
        )


def _check_name(name: str) -> None:
    """Refuse a name that cannot be that of a folder."""
    if "/" in name or name.startswith("."):
        raise ValueError(f"name={name}: names a folder; no / and no leading .")
    if not (name.strip() and name.isprintable()):
        raise ValueError(f"name={name!r}: names a folder; it takes letters that can be seen")
    if len(name.encode()) > LONGEST:
        raise ValueError(f"name={name[:20]}...: names a folder; at most {LONGEST} bytes long")


def _trials(asked: int | None, sampler: Part, space: Sequence[Dimension]) -> int:
    """Return the number of trials; for a grid, the number of its points."""
    if sampler.class_name != "GridSampler":
        return asked or 40
    size = math.prod(len(dimension.grid) for dimension in space)
    if asked not in (None, size):
        raise ValueError(f"trials={asked}: the grid has {size} points")
    return size


def _first_points(
    listed: Sequence[Mapping[str, Any]], space: Sequence[Dimension]
) -> Sequence[Point]:
    """Return the points to begin with; the sampler chooses the values that they lack."""
    known = {dimension.name: dimension for dimension in space}
    found = []
    for number, point in enumerate(listed):
        all_known(point, known, f"enqueue.{number}.")
        try:
            found.append({name: known[name].read(value) for name, value in point.items()})
        except ValueError as error:
            raise ValueError(f"enqueue.{number}: {error}") from None
    return found
