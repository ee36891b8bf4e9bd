"""The files of a run as MLflow takes them: points of series, parameters, a digest; no mlflow."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.tracking.store import Point

TAGS = "tags.json"  # file in a folder of runs: arm -> tags that its runs get when all are done

DENSE_ARM, MATCHED_ON = "dense_arm", "matched_on"  # tags that name the dense arm to compare with


def points(line: bytes) -> Iterator[Point]:
    """Yield the points of one line of a history; the shares of single experts stay out of MLflow.

    A value that is not finite becomes `diverged` = 1: MLflow would store infinity as 1.8e308, and
    its pages fail on NaN.

    Raises:
        ValueError: if it is no line of a history.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        step, time = values.pop("step"), values.pop("time")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of a history: {error}") from None
    for name, value in values.items():
        if not name.startswith("load/"):
            finite = math.isfinite(value)
            yield Point(name, value, time, step) if finite else Point("diverged", 1.0, time, step)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file before whatever is refused of its content."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted names and values of a nested configuration; values other than text are JSON.

    The parts of a list are numbered, as in the keys of a sweep: `model.losses.0.weight`.
    """
    for key, value in config.items():
        inner = value
        if isinstance(value, Sequence) and any(isinstance(part, Mapping) for part in value):
            inner = {str(number): part for number, part in enumerate(value)}
        if isinstance(inner, Mapping) and inner:
            yield from flatten(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)


def text(path: Path) -> str:
    """Return the text of a file; empty if there is no file.

    Raises:
        ValueError: naming the file, if it holds no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: no text: {error}") from None


def digest(content: str) -> str:
    """Return a short digest of a text; empty for an empty text."""
    return hashlib.sha256(content.encode()).hexdigest()[:16] if content else ""
