"""A unit of work, and what becomes of it: figures, or the reason why there are none."""

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
    """Packages that a unit of work needs are not installed."""


@dataclass(frozen=True)
class Item:
    """A unit of work.

    Args:
        stage: that it belongs to.
        name: within its stage.
        kind: of what takes about as long: one that was measured tells how long the next will take.
        seconds: that it takes where none of its kind has been measured.
        measure: does it and returns figures that JSON can hold.
    """

    stage: str
    name: str
    kind: str
    seconds: float
    measure: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What became of an item."""

    status: str
    seconds: float
    why: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)


def attempt(item: Item, seconds: float) -> Outcome:
    """Do a unit of work in at most so many seconds; whatever goes wrong is its outcome."""
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
    except Exception as error:  # a kernel, or somebody's package, may raise anything
        status, why = FAILED, told(error)
    return Outcome(status, time.monotonic() - started, why, found)


def told(error: Exception) -> str:
    """Return an error in one line of at most 300 characters."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def needs(*packages: str) -> None:
    """Raise `Missing` and name the packages that are not installed, if any are not."""
    if gone := absent(packages):
        raise Missing(f"not installed: {', '.join(gone)}")
