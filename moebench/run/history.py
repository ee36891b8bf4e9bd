"""The history of a run: one JSON line per logging interval, in a file of its own.

Lightning writes to it as to any logger. It costs one short write; whatever else wants the numbers
(MLflow, the report) reads the file.
"""

import json
import math
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger

from moebench.records import read_history


def of_validation(line: Mapping[str, Any]) -> bool:
    """Say whether a line was written by a validation."""
    return any(name.startswith(("valid/", "analysis/")) for name in line)


class History(Logger):
    """Logger that appends `{"step": ..., "time": unix seconds, <metric>: <value>, ...}` lines.

    Numbers that are not finite are left out: JSON has none.

    Args:
        path: the file; its folder exists.
        step: steps trained at the checkpoint; what was written after it will be written again
            and is cut off. A validation at that very step came before the checkpoint.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        super().__init__()
        self.path = path
        if path.exists():
            keep = [
                line for line in read_history(path) if line["step"] < step + of_validation(line)
            ]
            path.write_text("".join(json.dumps(line) + "\n" for line in keep))

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "history"

    @property
    def version(self) -> int:
        """There is one history a run."""
        return 0

    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing: the resolved configuration has a file of its own."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one line."""
        values = {
            key: value for key, value in metrics.items() if key != "epoch" and math.isfinite(value)
        }
        if values:
            with self.path.open("a") as file:
                file.write(json.dumps({"step": step, "time": time.time(), **values}) + "\n")
