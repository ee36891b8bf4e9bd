"""One arm of a comparison: its finished runs, with the figures that every pair needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from moebench.comparison.measures import value_of
from moebench.evidence.record import RunRecord
from moebench.papers.plan import EQUAL
from moebench.statistics import Values
from moebench.verdict.machines import Machine, machines_of
from moebench.verdict.paired_runs import curve


@dataclass(frozen=True)
class Side:
    """An arm of one target and profile.

    Args:
        arm: its name.
        metric: what is compared after equal training: a metric, or a number of a record.
        runs: seed -> finished run; at least one, all trained and with the metric.
        data: flattened configuration of its data; empty if unknown.
    """

    arm: str
    metric: str
    runs: Mapping[int, RunRecord]
    data: Mapping[str, str]

    @cached_property
    def ends(self) -> dict[int, float]:
        """Seed -> the metric after training."""
        return {seed: value_of(run, self.metric) for seed, run in self.runs.items()}

    @cached_property
    def curves(self) -> dict[int, tuple[Values, Values]]:
        """Seed -> steps and validation losses, for the runs that have a curve."""
        found = {seed: curve(run) for seed, run in self.runs.items()}
        return {seed: points for seed, points in found.items() if len(points[0])}

    @cached_property
    def pace(self) -> dict[int, float]:
        """Seed -> seconds per step."""
        return {seed: run.seconds_per_step for seed, run in self.runs.items()}

    @cached_property
    def costs(self) -> dict[str, float]:
        """Cost -> mean over the runs."""
        runs = self.runs.values()
        return {cost: sum(getattr(run, cost) for run in runs) / len(runs) for cost in EQUAL}

    @cached_property
    def planned(self) -> dict[str, float]:
        """Cost -> the value that it and its dense twin, or its mixture, were to share."""
        return {cost: plan for run in self.runs.values() for cost, plan in run.planned.items()}

    @cached_property
    def dropped(self) -> float:
        """Share of assignments dropped, mean over the runs; zero where it was not logged."""
        runs = self.runs.values()
        return sum(run.metrics.get("route/dropped", 0.0) for run in runs) / len(runs)

    @cached_property
    def tokens(self) -> float:
        """Training tokens, mean over the runs."""
        return sum(run.tokens for run in self.runs.values()) / len(self.runs)

    @cached_property
    def machines(self) -> set[Machine]:
        """The machines that the runs were made on."""
        return machines_of(self.runs.values())
