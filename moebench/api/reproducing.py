"""Reproducing a paper from Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from moebench.api.frames import record_frame, verdict_frame
from moebench.api.refusing import checking, one_line, root_of
from moebench.cli import reproduce as command
from moebench.cli.lookup import RESULTS
from moebench.evidence.record_files import read
from moebench.papers import target
from moebench.run.engines.profile import LOCAL, engine_profile
from moebench.run.execution import Execution
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed
from moebench.verdict import Verdict


@dataclass(frozen=True)
class Reproduced:
    """The result of `moebench.reproduce`.

    Args:
        folder: of the runs; `report.html` is in it.
        judged: one verdict per claim, with everything that led to it.
    """

    folder: Path
    judged: Sequence[Verdict]

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row per run, with the columns of `moebench.records`."""
        return record_frame(read(self.folder / RESULTS))

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row per claim, with the columns of `moebench.verdicts`."""
        return verdict_frame(self.judged)


@checking
@one_line()
@undisturbed()
def reproduce(
    paper: str,
    profile: str = "quick",
    settings: Mapping[str, object] | None = None,
    *,
    seeds: int | None = None,
    workers: int | None = None,
    root: str | Path = "runs",
    track: bool = True,
    engine: str = LOCAL,
    time_limit: float = math.inf,
    records: str | Path | None = None,
) -> Reproduced:
    """Train whatever runs of a profile are missing, and judge the paper's claims.

    Args:
        paper: its name in `moebench list`.
        profile: how large to run it: `smoke`, `quick`, `full`, or another that the paper has.
        settings: configuration keys laid over every arm, such as `{"trainer.max_steps": 20}`.
        seeds: how many seeds to train of every arm; by default as many as the profile says.
        workers: how many runs to train side by side; by default one per GPU, or one per core if
            there is no GPU; on a cluster, as many as fit.
        root: folder of all runs.
        track: whether to log the runs in MLflow.
        engine: what carries out the runs; a YAML file gives its options.
        time_limit: seconds that each run may take; one that takes longer counts as timed out.
        records: a `results.jsonl`, whose runs are not made again where they are the same.

    Returns:
        The verdicts, the records and the folder of the runs.

    Raises:
        ValueError: if something is refused, such as an unknown paper; nothing has been trained
            then.

    Example:
        found = moebench.reproduce("switch", "quick", workers=2)
        found.verdicts[["verdict", "why"]]
    """
    start_server()  # it imports while this process checks
    found = target(paper)
    options = command.ReproduceOptions(
        profile=profile,
        seeds=seeds,
        root=root_of(root, writing=True),
        settings=settings or {},
        track=track,
        execution=Execution(workers, engine_profile(engine), time_limit),
        records=None if records is None else Path(records),
    )
    verdicts = command.reproduce(found, options)
    return Reproduced(options.root / found.folder / profile, verdicts)
