"""Sweeping from Python."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from moebench.api.frames import fresh_frame, record_frame, trial_frame
from moebench.api.refusing import checking, one_line, root_of
from moebench.cli.lookup import RESULTS
from moebench.evidence.record_files import read
from moebench.report.sweep.summary import Summary, read_summary
from moebench.run.engines.profile import LOCAL, engine_profile
from moebench.run.execution import Execution
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed
from moebench.sweeps import SearchOptions, read_sweep, search


@dataclass(frozen=True)
class Swept:
    """The result of `moebench.sweep`.

    Args:
        folder: of the runs; `report.html` is in it.
        summary: all results.
    """

    folder: Path
    summary: Summary

    @property
    def best(self) -> dict[str, Any]:
        """The point of the best trial, by the names of the space; empty if no trial finished."""
        return dict(self.summary.best.point) if self.summary.best else {}

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial: its point, the means of its metrics over seeds, and its `status`."""
        return trial_frame(self.summary)

    @cached_property
    def fresh(self) -> pd.DataFrame:
        """One row each for the winner and the dense baselines, run again with fresh seeds.

        `mean`, `low` and `high` are the first objective with these seeds and its 95% interval;
        `in_sweep` is the value found in the search.
        """
        return fresh_frame(self.summary)

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row per run, with the columns of `moebench.records`."""
        return record_frame(read(self.folder / RESULTS))


@checking
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
    """Search a space of configurations, and compare the best with dense models of equal cost.

    Args:
        file: what to search; docs/sweeps.md explains its keys, configs/sweeps/ has examples.
        settings: configuration keys laid over the experiment, such as `{"trainer.max_steps": 20}`.
        name: of the study; by default the name of the file.
        workers: how many runs to train side by side; by default one per GPU, or one per core if
            there is no GPU; on a cluster, as many as fit.
        root: folder of all runs.
        storage: URL of a database for the study; by default a journal in the folder of the sweep.
        track: whether to log the runs in MLflow.
        engine: what carries out the runs; a YAML file gives its options.
        time_limit: seconds that each run may take; one that takes longer counts as timed out.

    Returns:
        The best point, all trials, and the best models run again with fresh seeds.

    Raises:
        ValueError: if something is refused, such as a misspelt key; nothing has been trained then.

    Example:
        swept = moebench.sweep("search.yaml", workers=2, track=False)
        swept.best
        swept.trials.sort_values("valid/loss")
    """
    start_server()  # it imports while this process checks
    options = SearchOptions(
        root=root_of(root, writing=True),
        storage=storage,
        track=track,
        execution=Execution(workers, engine_profile(engine), time_limit),
        beside=not name,
    )
    folder = search(read_sweep(Path(file), name, settings), options)
    return Swept(folder, read_summary(folder))
