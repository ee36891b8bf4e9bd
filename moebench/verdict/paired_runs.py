"""The runs a claim is judged by: finished ones, paired by seed; failures are counted."""

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
    """All runs of the arms of one claim.

    Raises:
        ValueError: if there are two records of one arm and seed.
    """

    runs: Mapping[str, Mapping[int, RunRecord]]  # arm -> seed -> record, whatever its status

    @classmethod
    def of(cls, arms: Sequence[str], records: Iterable[RunRecord]) -> "Evidence":
        """Pick out the runs of some arms; an arm without runs is there, and empty."""
        runs: dict[str, dict[int, RunRecord]] = {arm: {} for arm in arms}
        for record in records:
            if record.arm in runs:
                if record.seed in runs[record.arm]:
                    raise ValueError(f"arm={record.arm}, seed={record.seed}: more than one record")
                runs[record.arm][record.seed] = record
        return cls(runs)

    def without(self, arms: Iterable[str]) -> "Evidence":
        """Return the same without the runs of some arms, which stay there and are empty."""
        return replace(self, runs={**self.runs, **{arm: {} for arm in arms}})

    @property
    def missing(self) -> list[str]:
        """The arms without any run."""
        return [arm for arm, runs in self.runs.items() if not runs]

    def finished(self, arm: str) -> dict[int, RunRecord]:
        """Return seed -> record of the runs that finished."""
        runs = self.runs[arm]
        return {seed: runs[seed] for seed in sorted(runs) if runs[seed].status == "finished"}

    def values(self, metric: str, arm: str) -> dict[int, float]:
        """Return seed -> metric of the runs that finished and have it."""
        found = {seed: value_of(record, metric) for seed, record in self.finished(arm).items()}
        return {seed: v for seed, v in found.items() if v is not None and math.isfinite(v)}

    def sample(self, metric: str, arm: str) -> Values:
        """Return the metric of all finished runs of an arm, in the order of their seeds."""
        return np.array(list(self.values(metric, arm).values()), dtype=float)

    def paired(self, metric: str, *arms: str) -> list[Values]:
        """Return one array an arm; place by place they share a seed that finished in all arms."""
        return paired(*(self.values(metric, arm) for arm in arms))

    def means(self, metrics: Iterable[str], arms: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return arm -> metric -> mean over its finished runs, of those that have it."""
        return {
            arm: {
                metric: float(values.mean())
                for metric in metrics
                if len(values := self.sample(metric, arm))
            }
            for arm in arms
        }

    def lost(self, metric: str, arm: str) -> dict[str, int]:
        """Return what became of the runs of an arm that do not count -> how many there are.

        They did not finish, or finished without the metric, which others of the arm have.
        """
        count = Counter(record.status for record in self.runs[arm].values())
        lost = {status: count[status] for status in STATUSES[1:] if count[status]}
        counted = len(self.values(metric, arm))
        lacking = count["finished"] - counted if counted else 0
        return {**lost, **({f"without {metric}": lacking} if lacking else {})}

    def measured(self, metric: str) -> dict[str, dict[str, Any]]:
        """Return arm -> mean, standard deviation and number of its finished runs, and failures."""
        return {
            arm: {**_summary(self.sample(metric, arm)), "failed": self.lost(metric, arm)}
            for arm in self.runs
        }

    def costs(self) -> dict[str, dict[str, float]]:
        """Return arm -> its costs, means over the finished runs; empty where none finished.

        A cost that is not what was planned has a second number, `<cost>/planned`: how many times
        the plan it is.
        """
        runs = {arm: list(self.finished(arm).values()) for arm in self.runs}
        trained = {arm: [run for run in of if run.steps] for arm, of in runs.items()}
        off = off_plan(trained)
        return {
            arm: _costs(of) | {f"{cost}/planned": ratio for cost, ratio in off[arm].items()}
            for arm, of in trained.items()
        }

    def leaks(self) -> dict[str, str]:
        """Return arm -> what its routing leaks, of the arms that leak something."""
        found = {arm: leaks_of(runs.values()) for arm, runs in self.runs.items()}
        return {arm: leaks for arm, leaks in found.items() if leaks}


def paired(*values: Mapping[int, float]) -> list[Values]:
    """Return one array a map from seed to value, over the seeds that all maps have."""
    seeds = sorted(set(values[0]).intersection(*values[1:]))
    return [np.array([of[seed] for seed in seeds], dtype=float) for of in values]


def curve(record: RunRecord) -> tuple[Values, Values]:
    """Return steps and losses of the validation curve, `valid/loss@<step>`, by rising step.

    A validation before the first step is no point of it.
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
    """Return mean, standard deviation and number; None where there are too few."""
    n = len(values)
    mean = float(values.mean()) if n else None
    return {"mean": mean, "sd": float(values.std(ddof=1)) if n > 1 else None, "n": n}


def _costs(trained: Sequence[RunRecord]) -> dict[str, float]:
    """Return the mean costs of runs of one arm."""
    if not trained:
        return {}
    return {
        "runs": len(trained),
        "params_total": float(np.mean([record.params_total for record in trained])),
        "params_active": float(np.mean([record.params_active for record in trained])),
        "flops_per_token": float(np.mean([record.flops_per_token for record in trained])),
        "seconds_per_step": float(np.mean([record.seconds_per_step for record in trained])),
    }
