"""The history of a run: one JSON line per logging interval, in a file of its own.

Lightning writes to it as to any logger. It costs one short write; whatever else wants the numbers
(MLflow, the report) reads the file.
"""

import json
import math
import os
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger


class History(Logger):
    """Logger that appends `{"step": ..., "time": unix seconds, <metric>: <value>, ...}` lines.

    Numbers that are not finite are left out: JSON has none.

    Args:
        path: the file; its folder exists.
        written: its size in bytes at the checkpoint; lines after that will be written again and
            are cut off. Their steps could not tell: under manual optimisation Lightning logs the
            number of batches.
    """

    def __init__(self, path: Path, written: int = 0) -> None:
        super().__init__()
        self.path = path
        if path.exists() and path.stat().st_size > written:
            os.truncate(path, written)

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "history"

    @property
    def version(self) -> int:
        """A run has one history."""
        return 0

    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing: the resolved configuration has a file of its own."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one line.

        Validations that come through Lightning, which adds the epoch, are dropped: it logs them a
        step early, and `LogValidation` has logged them at the right one.
        """
        twice = ("valid/",) if "epoch" in metrics else ()
        values = {
            key: value
            for key, value in metrics.items()
            if key != "epoch" and not key.startswith(twice) and math.isfinite(value)
        }
        if values:
            with self.path.open("a") as file:
                file.write(json.dumps({"step": step, "time": time.time(), **values}) + "\n")
