"""Runs as the page needs them: each record with its history, and curves over the seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, read_history
from moebench.statistics import Values
from moebench.verdict.paired_runs import curve

Line = Mapping[str, Any]  # of a history: "step", "time" and metrics


@dataclass(frozen=True)
class Run:
    """A record and the history that led to it."""

    record: RunRecord
    history: Sequence[Line] = ()

    @property
    def trained(self) -> bool:
        """Whether this is a finished training; a computed record has no steps."""
        return self.record.status == "finished" and self.record.steps > 0


@dataclass(frozen=True)
class Band:
    """One arm over its training: mean over the seeds, and the smallest and largest value."""

    step: Values
    mean: Values
    low: Values
    high: Values
    seeds: int
    seconds_per_step: float  # mean over the seeds


@dataclass(frozen=True)
class LoadMap:
    """The share of assignments that asked for each expert, in one MoE layer of one run."""

    layer: str
    step: Values
    share_SE: Values  # one row for each of S logged steps


def search_of(arm: str) -> str | None:
    """Return the search over several names that an arm is a point of, if it is one."""
    search, _, point = arm.partition("/")
    return search if "," in point else None


def load(folder: Path) -> list[Run]:
    """Return all runs of a folder, in the order of `results.jsonl`; histories in that of steps.

    Raises:
        FileNotFoundError: if there is no `results.jsonl`.
        ValueError: naming file and line where one cannot be read.
    """
    found = []
    for record in read(folder / "results.jsonl"):
        lines = read_history(folder / record.arm / f"seed_{record.seed}" / "history.jsonl")
        found.append(Run(record, sorted(lines, key=lambda line: line["step"])))
    return found


def losses(run: Run) -> dict[int, float]:
    """Return step -> validation loss, from the record, or from the history if it has no points."""
    steps, values = curve(run.record)
    if len(steps):
        return dict(zip(steps.astype(int).tolist(), values.tolist(), strict=True))
    return {step: value for step, value in logged(run, "valid/loss").items() if step > 0}


def logged(run: Run, metric: str) -> dict[int, float]:
    """Return step -> metric, from the history."""
    return {line["step"]: float(line[metric]) for line in run.history if metric in line}


def bands(runs: Iterable[Run], points: Callable[[Run], dict[int, float]]) -> dict[str, Band]:
    """Return arm -> band of its trained runs, at the steps that all of them have.

    Args:
        runs: of any arm and status.
        points: gives the step -> value of a run, such as `losses`.
    """
    arms: dict[str, list[Run]] = {}
    for run in runs:
        if run.trained and points(run):
            arms.setdefault(run.record.arm, []).append(run)
    found = {arm: _band(ours, [points(run) for run in ours]) for arm, ours in arms.items()}
    return {arm: band for arm, band in found.items() if len(band.step)}


def _band(runs: Sequence[Run], curves: Sequence[dict[int, float]]) -> Band:
    """Return the band of runs of one arm."""
    steps = sorted(reduce(lambda shared, points: shared & points.keys(), curves, set(curves[0])))
    values = np.array([[points[step] for step in steps] for points in curves]).reshape(
        len(curves), len(steps)
    )
    pace = float(np.mean([run.record.seconds_per_step for run in runs]))
    return Band(
        np.array(steps, dtype=float),
        values.mean(axis=0),
        values.min(axis=0),
        values.max(axis=0),
        len(runs),
        pace,
    )


def load_maps(run: Run) -> list[LoadMap]:
    """Return the load of every MoE layer of a run that has one; an expert not logged is NaN."""
    lines = [line for line in run.history if any(key.startswith("load/") for key in line)]
    keys = {key for line in lines for key in line if key.startswith("load/")}
    counts: dict[str, int] = {}
    for _, layer, expert in (key.split("/") for key in keys):
        counts[layer] = max(counts.get(layer, 0), int(expert) + 1)
    step = np.array([line["step"] for line in lines], dtype=float)
    return [
        LoadMap(layer, step, _shares(lines, layer, counts[layer]))
        for layer in sorted(counts, key=lambda name: (len(name), name))
    ]


def _shares(lines: Sequence[Line], layer: str, experts: int) -> Values:
    """Return share_SE of one layer."""
    rows = [
        [line.get(f"load/{layer}/{expert}", np.nan) for expert in range(experts)] for line in lines
    ]
    return np.array(rows, dtype=float)


def representative(runs: Iterable[Run]) -> dict[str, Run]:
    """Return arm -> its run with a load map: a finished one if possible, of the first seed."""
    found: dict[str, Run] = {}
    ranked = sorted(runs, key=lambda run: (not run.trained, run.record.seed))
    for run in ranked:
        if run.record.arm not in found and load_maps(run):
            found[run.record.arm] = run
    return found
