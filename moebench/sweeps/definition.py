"""A sweep as its file describes it, checked as far as possible without running anything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from moebench.evidence.record import FIRST_FRESH_SEED, SWEEPS
from moebench.experiment import DataStamp, Experiment, load, read_yaml
from moebench.papers.plan import MatchedOn
from moebench.sweeps.space import Dimension, Point, grid_size, identity_of, settings_at
from moebench.sweeps.space_file import read_space
from moebench.sweeps.strategies import (
    EVENLY,
    SEES_NO_RESULTS,
    Part,
    draw,
    make_pruner,
    read_part,
    try_out,
)
from moebench.sweeps.surroundings import surroundings

LOSS = "valid/loss"
DIRECTIONS = ("minimize", "maximize")
MATCHED: tuple[MatchedOn, ...] = ("active_flops", "total_params", "step_time")
KEYS = (
    *("experiment", "settings", "space", "objectives", "sampler", "pruner"),
    *("trials", "seeds", "fresh_seeds", "baselines", "tuning", "surface"),
)


@dataclass(frozen=True)
class Sweep:
    """What is searched, by what, how often, and what it is compared with.

    Args:
        name: of the study and of the folder of its runs.
        configs: files of the base experiment, later ones laid over earlier ones.
        settings: configuration keys and values over the files, above all the budget.
        space: what varies.
        objectives: metric or number of a record -> "minimize" or "maximize"; the first decides
            which trial wins.
        sampler: chooses the points.
        pruner: ends trials early.
        trials: how many points.
        seeds: runs a trial; its value is their mean.
        fresh_seeds: runs of the winner and of every baseline with seeds that chose nothing.
        baselines: costs in which a dense twin is made equal to the base experiment.
        tuning: what is searched for every baseline, with as many points as there are trials, spread
            evenly (QMC); nothing: baselines are run as they are.
        surface: the two names that the heat map shows.
        data: stamp of the data of the base experiment; None until they have been read.
        claims: key -> version of those that its runs are to judge.
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

    @cached_property
    def base(self) -> Experiment:
        """The experiment before anything is varied."""
        return replace(load(self.configs, self.settings), known_data=self.data)

    def at(self, point: Point, tuned: Point | None = None) -> Experiment:
        """Return the experiment at a point, and at one of the tuning of baselines laid over it."""
        space = [dimension for dimension in self.space if dimension.name in point]
        settings = settings_at(point, space, self.base.config)
        if tuned:
            settings = settings_at(tuned, self.tuning, self.base.config, settings)
        found = load(self.configs, {**self.settings, **settings})
        same = found.config["data"] == self.base.config["data"]
        return replace(found, known_data=self.data) if same else found

    @cached_property
    def tuning_points(self) -> Sequence[Point]:
        """The points of the tuning of every baseline."""
        return draw(EVENLY, self.tuning, self.trials) if self.tuning else ()

    @property
    def trial_seeds(self) -> Sequence[int]:
        """Seeds of every trial and, to be compared with them, of the baselines."""
        return range(self.seeds)

    @property
    def later_seeds(self) -> Sequence[int]:
        """Seeds that no trial has seen."""
        return range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + self.fresh_seeds)

    def identity(self) -> dict[str, Any]:
        """Return what must stay the same throughout a study, as JSON."""
        tuning = {"tuning": identity_of(self.tuning)} if self.tuning else {}
        return {
            "space": identity_of(self.space),
            **tuning,
            "objectives": dict(self.objectives),
            "sampler": self.sampler.identity(),
            "pruner": self.pruner.identity(),
            "seeds": self.seeds,
            "experiment": dict(self.base.config),
            **surroundings(self.data, self._with_classes()),
        }

    def _with_classes(self) -> Iterator[Experiment]:
        """Yield the base, and the experiment at every choice that may be a class of its own."""
        yield self.base
        for dimension in self.space:
            for value in dimension.ends:
                if not isinstance(value, int | float):
                    yield self.at({dimension.name: value})


def read_sweep(path: Path, name: str = "", over: Mapping[str, object] | None = None) -> Sweep:
    """Read a sweep file.

    Args:
        path: the file; the experiment it names lies relative to it.
        name: of the study; the file's own where it is empty.
        over: configuration keys and values laid over those of the file.

    Raises:
        ValueError: naming key, value and what is allowed.
        FileNotFoundError: if the file is not there.
    """
    content = read_yaml(path)
    if unknown := set(content) - set(KEYS):
        raise ValueError(f"{min(unknown)}: unknown; one of {', '.join(KEYS)}")
    if missing := [key for key in ("experiment", "space", "objectives") if not content.get(key)]:
        raise ValueError(f"{missing[0]}: missing in {path}")
    experiment = content["experiment"]
    files = experiment if isinstance(experiment, list) else [experiment]
    space = read_space(content["space"])
    sampler = read_part("sampler", content.get("sampler", "TPESampler"))
    sweep = Sweep(
        name=name or path.stem,
        configs=[path.parent / str(file) for file in files],
        settings={**_map(content, "settings"), **(over or {})},
        space=space,
        objectives=_objectives(content["objectives"]),
        sampler=sampler,
        pruner=read_part("pruner", content.get("pruner", "NopPruner")),
        trials=_trials(content, sampler, space),
        seeds=_count(content, "seeds", 1, 1),
        fresh_seeds=_count(content, "fresh_seeds", 3, 0),
        baselines=_baselines(content.get("baselines", list(MATCHED))),
        tuning=read_space(content["tuning"], "tuning") if "tuning" in content else (),
        surface=_surface(content, space),
    )
    return _fitting(sweep)


def _fitting(sweep: Sweep) -> Sweep:
    """Return the sweep if its parts fit together and the values tried of each name are valid."""
    if "/" in sweep.name or sweep.name.startswith("."):
        raise ValueError(f"name={sweep.name}: becomes a folder; no / and no . at the start")
    if sweep.pruner.class_name != "NopPruner":
        if list(sweep.objectives.items()) != [(LOSS, "minimize")]:
            raise ValueError(
                f"pruner={sweep.pruner.class_name}: looks at {LOSS}, so that must be the only"
                " objective, and minimized; NopPruner prunes nothing"
            )
        if sweep.pruner.class_name == "WilcoxonPruner" and sweep.seeds < 2:
            raise ValueError(f"seeds={sweep.seeds}: WilcoxonPruner compares seeds; 2 at least")
    try_out(sweep.sampler, sweep.space, list(sweep.objectives.values()))
    make_pruner(sweep.pruner, sweep.base)
    for dimension in sweep.space:
        for value in dimension.tried:
            sweep.at({dimension.name: value})
    for dimension in sweep.tuning:
        for value in dimension.tried:
            replace(sweep, tuning=[dimension]).at({}, {dimension.name: value})
    if sweep.tuning and not sweep.baselines:
        raise ValueError("tuning: applies to baselines, and there are none")
    return sweep


def _map(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a map of the file, empty where there is none."""
    value = content.get(key) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{key}={value}: expected keys and values")
    return value


def _count(content: Mapping[str, Any], key: str, default: int, least: int) -> int:
    """Return a whole number of the file."""
    value = content.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key}={value}: expected a whole number from {least} on")
    return value


def _trials(content: Mapping[str, Any], sampler: Part, space: Sequence[Dimension]) -> int:
    """Return the number of trials, which a grid decides by itself."""
    if sampler.class_name != "GridSampler":
        return _count(content, "trials", 40, 1)
    size = grid_size(space)
    if _count(content, "trials", size, 1) != size:
        raise ValueError(f"trials={content['trials']}: the grid has {size} points")
    return size


def _objectives(value: object) -> Mapping[str, str]:
    """Return objectives with their directions."""
    if not isinstance(value, Mapping):
        raise ValueError(f"objectives={value}: expected metrics and directions")
    for name, direction in value.items():
        if direction not in DIRECTIONS:
            allowed = " or ".join(DIRECTIONS)
            raise ValueError(f"objectives.{name}={direction}: expected {allowed}")
    return dict(value)


def _baselines(value: object) -> Sequence[MatchedOn]:
    """Return the costs in which baselines are made equal."""
    if not isinstance(value, list):
        raise ValueError(f"baselines={value}: expected a list of {', '.join(MATCHED)}")
    for name in value:
        if name not in MATCHED:
            raise ValueError(f"baselines={name}: unknown; one of {', '.join(MATCHED)}")
    return [matched for matched in MATCHED if matched in value]


def _surface(content: Mapping[str, Any], space: Sequence[Dimension]) -> Sequence[str]:
    """Return the two names of the heat map, the first two where the file names none."""
    names = [dimension.name for dimension in space]
    chosen = content.get("surface", names[:2])
    if not isinstance(chosen, list) or (chosen != names[:2] and len(chosen) != 2):
        raise ValueError(f"surface={chosen}: expected two names of the space")
    for name in chosen:
        if name not in names:
            raise ValueError(f"surface={name}: not in the space; one of {', '.join(names)}")
    return chosen


__all__ = ["LOSS", "SEES_NO_RESULTS", "SWEEPS", "Sweep", "read_sweep"]
