"""The runs that judge a claim: finished ones, paired by seed; failures are counted."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moebench.evidence.record import STATUSES, RunRecord
from moebench.statistics import Values
from moebench.verdict.marks import leaks_of
from moebench.verdict.planned import off_plan


@dataclass(frozen=True)
class Evidence:
    """All runs of one claim's arms.

    Raises:
        ValueError: if two records have the same arm and seed.
    """

    runs: Mapping[str, Mapping[int, RunRecord]]  # arm -> seed -> record, whatever its status

    @classmethod
    def of(cls, arms: Sequence[str], records: Iterable[RunRecord]) -> "Evidence":
        """Pick out the runs of these arms; an arm without runs stays, with none."""
        runs: dict[str, dict[int, RunRecord]] = {arm: {} for arm in arms}
        for record in records:
            if record.arm in runs:
                if record.seed in runs[record.arm]:
                    raise ValueError(f"arm={record.arm}, seed={record.seed}: more than one record")
                runs[record.arm][record.seed] = record
        return cls(runs)

    def without(self, arms: Iterable[str]) -> "Evidence":
        """Return the same evidence without the runs of these arms; the arms themselves stay."""
        return replace(self, runs={**self.runs, **{arm: {} for arm in arms}})

    @property
    def missing(self) -> list[str]:
        """The arms without any run."""
        return [arm for arm, runs in self.runs.items() if not runs]

    def finished(self, arm: str) -> dict[int, RunRecord]:
        """Return seed -> record of the finished runs."""
        runs = self.runs[arm]
        return {seed: runs[seed] for seed in sorted(runs) if runs[seed].status == "finished"}

    def values(self, metric: str, arm: str) -> dict[int, float]:
        """Return seed -> metric of the finished runs that have it."""
        found = {seed: value_of(record, metric) for seed, record in self.finished(arm).items()}
        return {seed: v for seed, v in found.items() if v is not None and math.isfinite(v)}

    def sample(self, metric: str, arm: str) -> Values:
        """Return the metric of an arm's finished runs, ordered by seed."""
        return np.array(list(self.values(metric, arm).values()), dtype=float)

    def paired(self, metric: str, *arms: str) -> list[Values]:
        """Return one array per arm, aligned by the seeds that finished in all of them."""
        return paired(*(self.values(metric, arm) for arm in arms))

    def means(self, metrics: Iterable[str], arms: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return arm -> metric -> mean over its finished runs that have the metric."""
        return {
            arm: {
                metric: float(values.mean())
                for metric in metrics
                if len(values := self.sample(metric, arm))
            }
            for arm in arms
        }

    def lost(self, metric: str, arm: str) -> dict[str, int]:
        """Return reason -> number of runs of an arm that do not count.

        They did not finish, or they lack a metric that other runs of the arm have.
        """
        count = Counter(record.status for record in self.runs[arm].values())
        lost = {status: count[status] for status in STATUSES[1:] if count[status]}
        counted = len(self.values(metric, arm))
        lacking = count["finished"] - counted if counted else 0
        return {**lost, **({f"without {metric}": lacking} if lacking else {})}

    def measured(self, metric: str) -> dict[str, dict[str, Any]]:
        """Return arm -> mean, standard deviation and count of its finished runs, and failures."""
        return {
            arm: {**_summary(self.sample(metric, arm)), "failed": self.lost(metric, arm)}
            for arm in self.runs
        }

    def costs(self) -> dict[str, dict[str, float]]:
        """Return arm -> cost -> mean over its finished runs; empty if none finished.

        A cost that misses its plan has a second entry, `<cost>/planned`: its ratio to the plan.
        """
        runs = {arm: list(self.finished(arm).values()) for arm in self.runs}
        trained = {arm: [run for run in of if run.steps] for arm, of in runs.items()}
        off = off_plan(trained)
        return {
            arm: _costs(of) | {f"{cost}/planned": ratio for cost, ratio in off[arm].items()}
            for arm, of in trained.items()
        }

    def leaks(self) -> dict[str, str]:
        """Return arm -> what its routing leaks, for the arms that leak something."""
        found = {arm: leaks_of(runs.values()) for arm, runs in self.runs.items()}
        return {arm: leaks for arm, leaks in found.items() if leaks}


def paired(*values: Mapping[int, float]) -> list[Values]:
    """Return one array per map from seed to value, over the seeds that all maps have."""
    seeds = sorted(set(values[0]).intersection(*values[1:]))
    return [np.array([of[seed] for seed in seeds], dtype=float) for of in values]


def curve(record: RunRecord) -> tuple[Values, Values]:
    """Return steps and losses of the validation curve, `valid/loss@<step>`, in order of steps.

    A validation before the first step does not belong to the curve.
    """
    prefix = "valid/loss@"
    points = {
        int(name.removeprefix(prefix)): record.metrics[name]
        for name in record.metrics
        if name.startswith(prefix)
    }
    steps = sorted(step for step in points if step > 0)
    return np.array(steps, dtype=float), np.array([points[step] for step in steps], dtype=float)


def value_of(record: RunRecord, metric: str) -> float | None:
    """Return a metric; a point of the validation curve is interpolated between its neighbours."""
    if metric in record.metrics:
        return record.metrics[metric]
    name, _, step = metric.partition("@")
    if name == "valid/loss" and step:
        steps, losses = curve(record)
        if len(steps) and steps[0] <= float(step) <= steps[-1]:
            return float(np.interp(float(step), steps, losses))
    return None


def _summary(values: Values) -> dict[str, float | int | None]:
    """Return mean, standard deviation and count; None if there are too few values."""
    n = len(values)
    mean = float(values.mean()) if n else None
    return {"mean": mean, "sd": float(values.std(ddof=1)) if n > 1 else None, "n": n}


def _costs(trained: Sequence[RunRecord]) -> dict[str, float]:
    """Return the mean costs of one arm's runs."""
    if not trained:
        return {}
    return {
        "runs": len(trained),
        "params_total": float(np.mean([record.params_total for record in trained])),
        "params_active": float(np.mean([record.params_active for record in trained])),
        "flops_per_token": float(np.mean([record.flops_per_token for record in trained])),
        "seconds_per_step": float(np.mean([record.seconds_per_step for record in trained])),
    }
