"""A reproduction from Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from moebench.api.frames import record_frame, verdict_frame
from moebench.api.refusing import one_line
from moebench.cli import reproduce as command
from moebench.cli.lookup import RESULTS
from moebench.evidence.record_files import read
from moebench.papers import target
from moebench.run.engines import LOCAL
from moebench.run.execution import default_workers
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed
from moebench.verdict import Verdict


@dataclass(frozen=True)
class Reproduced:
    """A paper's runs and verdicts.

    Args:
        folder: of the runs, with `report.html`.
        judged: one verdict a claim, with all that led to it.
    """

    folder: Path
    judged: Sequence[Verdict]

    @cached_property
    def records(self) -> pd.DataFrame:
        """A row a run, as `moebench.records` returns them."""
        return record_frame(read(self.folder / RESULTS))

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """A row a claim, as `moebench.verdicts` returns them."""
        return verdict_frame(self.judged)


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
) -> Reproduced:
    """Make every run of a profile that is not there yet and judge the paper's claims.

    Args:
        paper: a name of `moebench list`.
        profile: `smoke`, `quick`, `full`, or another that the paper has.
        settings: configuration keys and values laid over every arm.
        seeds: of every arm; None: as many as the profile says.
        workers: processes side by side; None: one a GPU, or a core where there is none.
        root: folder of all runs.
        track: whether MLflow gets a copy.
        engine: what carries out the runs.
        time_limit: seconds that each run may take; one that takes longer counts as timed out.

    Raises:
        ValueError: for whatever is refused before anything is trained, such as an unknown paper.
    """
    start_server()  # it imports while this process checks
    found = target(paper)
    options = command.ReproduceOptions(
        profile=profile,
        seeds=seeds,
        workers=default_workers() if workers is None else workers,
        root=Path(root),
        settings=settings or {},
        track=track,
        engine=engine,
        time_limit=time_limit,
    )
    verdicts = command.reproduce(found, options)
    return Reproduced(options.root / found.folder / profile, verdicts)
