"""Progress bars, one per run and one for all; plain lines where there is no terminal."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn

from tqdm import tqdm

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_history
from moebench.run.job import Job


class Progress:
    """Shows the progress of a set of jobs; a context manager, called with what a scheduler reports.

    Args:
        total: number of runs, finished ones included.
    """

    def __init__(self, total: int) -> None:
        self.live = sys.stderr.isatty()
        self.shown = 0
        self.overall = tqdm(total=total, unit="run", position=0, disable=not self.live)
        self.bars: list[tqdm[NoReturn]] = []  # of the most jobs that have run side by side

    def __call__(self, running: Sequence[Job], records: Sequence[RunRecord]) -> None:
        """Show the state of the running jobs and count the finished ones."""
        self.overall.n = len(records)
        self.overall.refresh()
        for record in records[self.shown :] if not self.live else ():
            loss = record.metrics.get("valid/loss")
            came_to = "" if loss is None else f", valid/loss {loss:.4f}"
            name = f"{record.arm} seed {record.seed}"
            print(f"{name}: {record.status}{came_to}, {record.seconds:.0f} s", flush=True)
        self.shown = len(records)
        while len(self.bars) < len(running):
            self.bars.append(self._bar(1 + len(self.bars)))
        for bar, job in zip(self.bars, running, strict=False):
            lines = read_history(job.history_path)
            bar.total = job.experiment.config.get("trainer", {}).get("max_steps")
            bar.n = lines[-1]["step"] if lines else 0
            losses = [line["valid/loss"] for line in lines if "valid/loss" in line]
            bar.set_description(f"{job.arm} seed {job.seed}", refresh=False)
            bar.set_postfix_str(f"valid/loss {losses[-1]:.3f}" if losses else "", refresh=False)
            bar.refresh()

    def _bar(self, position: int) -> "tqdm[NoReturn]":
        return tqdm(total=1, position=position, disable=not self.live, leave=False, unit="step")

    def __enter__(self) -> "Progress":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bars."""
        for bar in [*self.bars, self.overall]:
            bar.close()
