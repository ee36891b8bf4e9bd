"""A sweep: what is searched, how, how often, and what it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.experiment import DataStamp, Experiment
from moebench.experiment.variations import Variations
from moebench.papers.plan import MatchedOn
from moebench.sweeps.space import Dimension, Point, settings_at
from moebench.sweeps.strategies import QUASI_RANDOM, SEES_NO_RESULTS, Part, draw

LOSS = "valid/loss"
MATCHED: tuple[MatchedOn, ...] = ("active_flops", "total_params", "step_time")


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
        first_seed: seed of the first of them; from 1000, where nothing is chosen and trials judge.
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
    first_seed: int = 0
    fresh_seeds: int = 3
    baselines: Sequence[MatchedOn] = MATCHED
    tuning: Sequence[Dimension] = ()
    surface: Sequence[str] = field(default_factory=tuple)
    data: DataStamp | None = None
    claims: Mapping[str, int] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    first: Sequence[Point] = ()

    @cached_property
    def _variations(self) -> Variations:
        return Variations(self.configs, self.settings)

    @cached_property
    def base(self) -> Experiment:
        """The experiment before anything is varied."""
        return replace(self._variations.base, known_data=self.data)

    def at(self, point: Point, tuned: Point | None = None) -> Experiment:
        """Return the experiment at a point, overridden by a tuning point if there is one."""
        pairs = [*settings_at(point, self.space), *settings_at(tuned or {}, self.tuning)]
        found = self._variations.at(pairs)
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
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def later_seeds(self) -> Sequence[int]:
        """Seeds that no trial has used."""
        return range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + self.fresh_seeds)
