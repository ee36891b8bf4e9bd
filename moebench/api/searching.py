"""A sweep from Python."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from moebench.api.frames import fresh_frame, record_frame, trial_frame
from moebench.api.refusing import one_line
from moebench.cli.lookup import RESULTS
from moebench.evidence.record_files import read
from moebench.report.sweep.summary import Summary, read_summary
from moebench.run.engines import LOCAL
from moebench.run.execution import default_workers
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed
from moebench.sweeps import SearchOptions, read_sweep, search


@dataclass(frozen=True)
class Swept:
    """A finished sweep.

    Args:
        folder: of its runs, with `report.html`.
        summary: all results.
    """

    folder: Path
    summary: Summary

    @property
    def best(self) -> dict[str, Any]:
        """The values of the trial that won, by the names of the space; empty if none finished."""
        return dict(self.summary.best.point) if self.summary.best else {}

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row a trial: its point, its means over seeds, how it ended."""
        return trial_frame(self.summary)

    @cached_property
    def fresh(self) -> pd.DataFrame:
        """A row each for the winner and the dense baselines, on seeds that chose nothing."""
        return fresh_frame(self.summary)

    @cached_property
    def records(self) -> pd.DataFrame:
        """A row a run, as `moebench.records` returns them."""
        return record_frame(read(self.folder / RESULTS))


@one_line()
@undisturbed()
def sweep(
    file: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    name: str = "",
    workers: int | None = None,
    root: str | Path = "runs",
    storage: str = "",
    track: bool = True,
    engine: str = LOCAL,
    time_limit: float = math.inf,
) -> Swept:
    """Search a space of configurations; compare the winner with its dense baselines.

    Args:
        file: of the sweep; those of configs/sweeps/ are examples.
        settings: configuration keys and values laid over those of the file.
        name: of the study; empty: the file's own.
        workers: processes side by side; None: one a GPU, or a core where there is none.
        root: folder of all runs.
        storage: URL of a database for the study; empty: a journal in the sweep's folder.
        track: whether MLflow gets a copy.
        engine: what carries out the runs.
        time_limit: seconds that each run may take; one that takes longer counts as timed out.

    Raises:
        ValueError: for whatever is refused before anything is trained.
    """
    start_server()  # it imports while this process checks
    options = SearchOptions(
        workers=default_workers() if workers is None else workers,
        root=Path(root),
        storage=storage,
        track=track,
        engine=engine,
        time_limit=time_limit,
        beside=not name,
    )
    folder = search(read_sweep(Path(file), name, settings), options)
    return Swept(folder, read_summary(folder))
