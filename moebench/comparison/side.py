"""One arm of a comparison: its finished runs, with what is asked of them again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from moebench.evidence.record import RunRecord
from moebench.papers.plan import EQUAL
from moebench.statistics import Values
from moebench.verdict.paired_runs import curve


@dataclass(frozen=True)
class Side:
    """An arm of one target and profile.

    Args:
        arm: its name.
        metric: what is compared after equal training.
        runs: seed -> finished run; at least one, all with the metric and trained.
        data: flat configuration of its data; empty where that is not known.
    """

    arm: str
    metric: str
    runs: Mapping[int, RunRecord]
    data: Mapping[str, str]

    @cached_property
    def ends(self) -> dict[int, float]:
        """Seed -> the metric after training."""
        return {seed: run.metrics[self.metric] for seed, run in self.runs.items()}

    @cached_property
    def curves(self) -> dict[int, tuple[Values, Values]]:
        """Seed -> steps and validation losses, of the runs that have a curve."""
        found = {seed: curve(run) for seed, run in self.runs.items()}
        return {seed: points for seed, points in found.items() if len(points[0])}

    @cached_property
    def pace(self) -> dict[int, float]:
        """Seed -> seconds a step."""
        return {seed: run.seconds_per_step for seed, run in self.runs.items()}

    @cached_property
    def costs(self) -> dict[str, float]:
        """Cost -> mean over the runs."""
        runs = self.runs.values()
        return {cost: sum(getattr(run, cost) for run in runs) / len(runs) for cost in EQUAL}

    @cached_property
    def planned(self) -> dict[str, float]:
        """Cost -> what it and its dense twin, or its mixture, were to have in common."""
        return {cost: plan for run in self.runs.values() for cost, plan in run.planned.items()}

    @cached_property
    def dropped(self) -> float:
        """Share of assignments that found no room, mean over the runs; zero where none is known."""
        runs = self.runs.values()
        return sum(run.metrics.get("route/dropped", 0.0) for run in runs) / len(runs)

    @cached_property
    def tokens(self) -> float:
        """Tokens of training, mean over the runs."""
        return sum(run.tokens for run in self.runs.values()) / len(self.runs)

    @cached_property
    def machines(self) -> set[tuple[tuple[str, str | int], ...]]:
        """What the runs were made on."""
        return {tuple(sorted(run.hardware.items())) for run in self.runs.values()}
