"""Timing in turn: cases are timed alternately, so that noise on the machine affects all alike."""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

import torch

from moebench.report import tables as columns
from moebench.run.machine import commit, hardware, versions

RESULTS = Path(__file__).parent / "results.jsonl"


def in_turn(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Call every case once per round, in alternating order, and return its seconds.

    Two warm-up rounds are not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    gc.disable()
    try:
        for turn in range(-2, rounds):
            for name in list(cases)[:: 1 if turn % 2 else -1]:
                _wait_for_device()
                started = time.perf_counter()
                cases[name]()
                _wait_for_device()
                if turn >= 0:
                    seconds[name].append(time.perf_counter() - started)
    finally:
        gc.enable()
    return seconds


def turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call every way once per round, after one warm-up round; each returns its own time."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-1, rounds):
        for name, way in ways.items():
            value = way()
            if turn >= 0:
                seconds[name].append(value)
    return seconds


def _wait_for_device() -> None:
    """Wait for queued work before the clock is read."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def ratios(seconds: Mapping[str, Sequence[float]], against: str) -> dict[str, dict[str, float]]:
    """Return median and quartiles of each case's time over that of `against`, round by round."""
    table = {}
    for name, own in seconds.items():
        pairs = [mine / other for mine, other in zip(own, seconds[against], strict=True)]
        low, _, high = quantiles(pairs, n=4, method="inclusive")  # never beyond the values seen
        table[name] = {"ratio": median(pairs), "low": low, "high": high}
    return table


def table(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return ratios as text, best first."""
    cells = [
        (name, f"{row['ratio']:.2f}", f"[{row['low']:.2f}, {row['high']:.2f}]")
        for name, row in sorted(rows.items(), key=lambda item: item[1]["ratio"])
    ]
    return "\n".join([title, *columns.table((), cells, "lr", indent=2)])


def save(benchmark: str, settings: Mapping[str, object], rows: Mapping[str, object]) -> None:
    """Append one result line with everything needed to read it later."""
    line = {
        "benchmark": benchmark,
        "settings": dict(settings),
        "ratios": dict(rows),
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
    }
    with RESULTS.open("a") as file:
        file.write(json.dumps(line) + "\n")
