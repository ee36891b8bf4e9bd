"""A unit of work, and its outcome: figures, or the reason why there are none."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.gpu.clock import OutOfTime, within
from benchmarks.gpu.packages import absent

MEASURED, FAILED, MISSING, CUT = "measured", "failed", "missing", "cut"
OUT_OF_MEMORY = "out of memory"


class Missing(Exception):
    """Packages needed by a unit of work are not installed."""


@dataclass(frozen=True)
class Item:
    """A unit of work.

    Args:
        stage: the stage it belongs to.
        name: its name within the stage.
        kind: items of one kind take about equally long, which predicts the time of the next one.
        seconds: expected time if none of its kind has been measured.
        measure: does the work and returns figures that JSON can hold.
    """

    stage: str
    name: str
    kind: str
    seconds: float
    measure: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """The outcome of an item."""

    status: str
    seconds: float
    why: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)


def attempt(item: Item, seconds: float) -> Outcome:
    """Do a unit of work within a time limit; anything that goes wrong becomes its outcome."""
    started = time.monotonic()
    status, why, found = MEASURED, "", {}
    try:
        with within(seconds):
            found = dict(item.measure())
    except OutOfTime:
        status, why = CUT, f"stopped after {seconds:.0f} s"
    except (Missing, ModuleNotFoundError) as error:
        status, why = MISSING, str(error)
    except torch.OutOfMemoryError as error:
        status, why = OUT_OF_MEMORY, told(error)
    except Exception as error:  # kernels and third-party packages may raise anything
        status, why = FAILED, told(error)
    return Outcome(status, time.monotonic() - started, why, found)


def told(error: Exception) -> str:
    """Return an error in one line of at most 300 characters."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def needs(*packages: str) -> None:
    """Raise `Missing`, naming the packages, if any of these is not installed."""
    if gone := absent(packages):
        raise Missing(f"not installed: {', '.join(gone)}")
