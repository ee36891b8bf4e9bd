"""Shows where a set of runs stands: bars in a terminal, elsewhere a line a minute."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn

from tqdm import tqdm

from moebench.evidence.record import RunRecord
from moebench.run.engine import Engine
from moebench.run.standing import Standing, Underway

SECONDS = 60.0  # between two lines
NAMED = 8  # running jobs that a line names
OVERALL = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} runs [{elapsed}{postfix}]"


class Progress:
    """Shows the progress of runs; a context manager, called with what a scheduler reports.

    Args:
        known: of the runs that have ended before.
        clock: unix seconds, as in histories.
    """

    def __init__(
        self, known: Sequence[RunRecord] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self.standing = Standing(known, clock)
        self._clock = clock
        self._due = clock() + SECONDS
        self._live = sys.stderr.isatty()
        self._overall = tqdm(bar_format=OVERALL, total=0, position=0, disable=not self._live)
        self._bars: list[tqdm[NoReturn]] = []  # of the most jobs that have run side by side

    def __call__(self, engine: Engine, records: Sequence[RunRecord], left: int) -> None:
        """Show what is new."""
        self.standing.update(engine, records, left)
        if self._live:
            self.standing.look(engine)
            self._draw()
            return
        for record in records:
            loss = record.metrics.get("valid/loss")
            came_to = "" if loss is None else f", valid/loss {loss:.4f}"
            name = f"{record.arm} seed {record.seed}"
            print(f"{name}: {record.status}{came_to}, {record.seconds:.0f} s", flush=True)
        if self._clock() >= self._due:
            self._due = self._clock() + SECONDS
            self.standing.look(engine)
            print(line_of(self.standing), flush=True)

    def _draw(self) -> None:
        """Bring the bars up to date; there are no more than the terminal has lines."""
        standing, bar = self.standing, self._overall
        bar.n, bar.total = standing.done, standing.total
        told = [*endings_of(standing), *time_left_of(standing)]
        bar.set_postfix_str("; ".join(told), refresh=False)
        bar.refresh()
        shown = standing.underway[: max(1, shutil.get_terminal_size().lines - 3)]
        while len(self._bars) < len(shown):
            self._bars.append(tqdm(total=1, position=1 + len(self._bars), leave=False, unit="step"))
        for bar, one in zip(self._bars, shown, strict=False):
            bar.total, bar.n = one.steps, one.step
            bar.set_description(one.name, refresh=False)
            loss = "" if one.loss is None else f"valid/loss {one.loss:.3f}"
            bar.set_postfix_str(loss, refresh=False)
            bar.refresh()

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
        for bar in [*self._bars, self._overall]:
            bar.close()


def line_of(standing: Standing) -> str:
    """Return where a set of runs stands, in one line."""
    running = [_running(one) for one in standing.underway]
    if more := len(running[NAMED:]):
        running[NAMED:] = [f"{more} more"]
    parts = [
        f"{standing.done} of {standing.total} runs done",
        *endings_of(standing),
        *time_left_of(standing),
        f"running: {', '.join(running)}" if running else "nothing runs",
    ]
    return "; ".join(parts)


def endings_of(standing: Standing) -> list[str]:
    """Return how the runs have ended that did not finish, in words; nothing if all did."""
    counts = sorted(standing.endings.items(), key=lambda entry: (-entry[1], entry[0]))
    told = [
        f"{count} {status.replace('_', ' ')}" for status, count in counts if status != "finished"
    ]
    return [", ".join(told)] if told else []


def time_left_of(standing: Standing) -> list[str]:
    """Return the time left in words; nothing while it is not known."""
    seconds = standing.seconds_left
    return [f"about {tqdm.format_interval(seconds)} left"] if seconds else []


def _running(one: Underway) -> str:
    """Return a run under way in words."""
    of = "" if one.steps is None else f" of {one.steps}"
    return f"{one.name} at step {one.step}{of}" if one.step else one.name
