"""A sweep as described by its file, checked as far as possible without running anything."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from moebench.evidence.record import FIRST_FRESH_SEED, SWEEPS
from moebench.experiment import DataStamp, Experiment, load, naming_file, read_yaml
from moebench.papers.home import find_config
from moebench.papers.nearest import nearest
from moebench.papers.plan import MatchedOn
from moebench.sweeps.dependencies import dependencies
from moebench.sweeps.entries import (
    MATCHED,
    baselines_of,
    constraints_of,
    count_of,
    first_points,
    map_of,
    objectives_of,
    surface_of,
)
from moebench.sweeps.space import Dimension, Point, identity_of, settings_at
from moebench.sweeps.space_file import read_space
from moebench.sweeps.strategies import (
    QUASI_RANDOM,
    SEES_NO_RESULTS,
    Part,
    draw,
    make_pruner,
    read_part,
    try_out,
)

LOSS = "valid/loss"
LONGEST = 120  # bytes of a name, to which that of data may be added
KEYS = (
    *("experiment", "settings", "space", "objectives", "constraints", "sampler", "pruner"),
    *("trials", "enqueue", "seeds", "fresh_seeds", "baselines", "tuning", "surface"),
)


@dataclass(frozen=True)
class Sweep:
    """What is searched, how, how often, and what it is compared with.

    Args:
        name: name of the study and of the folder of its runs.
        configs: files of the base experiment; later ones override earlier ones.
        settings: configuration keys and values that override the files, above all the budget.
        space: what varies.
        objectives: metric or field of a record -> "minimize" or "maximize"; the first one decides
            which trial wins.
        sampler: chooses the points.
        pruner: ends trials early.
        trials: number of points.
        seeds: runs per trial; its value is their mean.
        fresh_seeds: runs of the winner and of every baseline with seeds not used in the search.
        baselines: the costs in which dense twins match the base experiment.
        tuning: space searched for every baseline with as many points as there are trials, spread
            evenly (QMC); empty: baselines are not tuned.
        surface: the two names shown in the heat map.
        data: stamp of the base experiment's data; None until they have been read.
        claims: key -> version of the claims that its runs will judge.
        constraints: metric or field of a record -> its largest value in a trial that may win.
        first: points to begin with, which may lack values.
    """

    name: str
    configs: Sequence[Path]
    settings: Mapping[str, object]
    space: Sequence[Dimension]
    objectives: Mapping[str, str]
    sampler: Part
    pruner: Part
    trials: int
    seeds: int = 1
    fresh_seeds: int = 3
    baselines: Sequence[MatchedOn] = MATCHED
    tuning: Sequence[Dimension] = ()
    surface: Sequence[str] = field(default_factory=tuple)
    data: DataStamp | None = None
    claims: Mapping[str, int] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    first: Sequence[Point] = ()

    @cached_property
    def base(self) -> Experiment:
        """The experiment before anything is varied."""
        return replace(load(self.configs, self.settings), known_data=self.data)

    def at(self, point: Point, tuned: Point | None = None) -> Experiment:
        """Return the experiment at a point, overridden by a tuning point if there is one."""
        space = [dimension for dimension in self.space if dimension.name in point]
        settings = settings_at(point, space, self.base.config)
        if tuned:
            settings = settings_at(tuned, self.tuning, self.base.config, settings)
        found = load(self.configs, {**self.settings, **settings})
        same = found.config["data"] == self.base.config["data"]
        return replace(found, known_data=self.data) if same else found

    @cached_property
    def known_points(self) -> Sequence[Point]:
        """The points that depend on no result: the first, and all if the sampler sees no results.

        Some of the first may lack values that the sampler chooses.
        """
        if self.sampler.class_name not in SEES_NO_RESULTS:
            return self.first
        drawn = draw(self.sampler, self.space, self.trials)
        first = [{**point, **given} for point, given in zip(drawn, self.first, strict=False)]
        return [*first, *drawn[len(first) :]]

    @cached_property
    def tuning_points(self) -> Sequence[Point]:
        """The tuning points of every baseline."""
        return draw(QUASI_RANDOM, self.tuning, self.trials) if self.tuning else ()

    @property
    def trial_seeds(self) -> Sequence[int]:
        """Seeds of every trial, and of the baselines compared with them."""
        return range(self.seeds)

    @property
    def later_seeds(self) -> Sequence[int]:
        """Seeds that no trial has used."""
        return range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + self.fresh_seeds)

    def identity(self) -> dict[str, Any]:
        """Return what must stay the same throughout a study, as JSON."""
        return {
            "space": identity_of(self.space),
            **({"tuning": identity_of(self.tuning)} if self.tuning else {}),
            "objectives": dict(self.objectives),
            **({"constraints": dict(self.constraints)} if self.constraints else {}),
            **({"enqueue": list(self.first)} if self.first else {}),
            "sampler": self.sampler.identity(),
            "pruner": self.pruner.identity(),
            "seeds": self.seeds,
            "experiment": dict(self.base.config),
            **dependencies(self.data, self._with_classes()),
        }

    def _with_classes(self) -> Iterator[Experiment]:
        """Yield the base and the experiment at every choice that may name another class."""
        yield self.base
        for dimension in self.space:
            for value in dimension.ends:
                if not isinstance(value, int | float):
                    yield self.at({dimension.name: value})


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
        if unknown := set(content) - set(KEYS):
            raise ValueError(f"{min(unknown)}: unknown; {nearest(min(unknown), KEYS)}")
        if missing := [
            key for key in ("experiment", "space", "objectives") if not content.get(key)
        ]:
            raise ValueError(f"{missing[0]}: missing or empty")
        experiment = content["experiment"]
        files = experiment if isinstance(experiment, list) else [experiment]
        settings = {**map_of(content, "settings"), **(over or {})}
        space = read_space(content["space"])
        sampler = read_part("sampler", content.get("sampler", "TPESampler"))
        sweep = Sweep(
            name=name or path.stem,
            configs=[path.parent / str(file) for file in files],
            settings=settings,
            space=space,
            objectives=objectives_of(content["objectives"]),
            sampler=sampler,
            pruner=read_part("pruner", content.get("pruner", "NopPruner")),
            trials=_trials(content, sampler, space),
            seeds=count_of(content, "seeds", 1, 1, FIRST_FRESH_SEED),
            fresh_seeds=count_of(content, "fresh_seeds", 3, 0),
            baselines=baselines_of(content.get("baselines", list(MATCHED))),
            tuning=read_space(content["tuning"], "tuning") if "tuning" in content else (),
            surface=surface_of(content, space),
            constraints=constraints_of(content),
            first=first_points(content, space),
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
        return count_of(content, "trials", 40, 1)
    size = math.prod(len(dimension.grid) for dimension in space)
    if count_of(content, "trials", size, 1) != size:
        raise ValueError(f"trials={content['trials']}: the grid has {size} points")
    return size


__all__ = ["LOSS", "SEES_NO_RESULTS", "SWEEPS", "Sweep", "read_sweep"]
