"""The ranking of routers: from records to a table in README.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moebench.records import RunRecord, read, write_all
from moebench.report import fill, wording
from moebench.report.markdown import table
from moebench.statistics import Interval, Values, mean_interval
from moebench.verdict.evidence import paired

RECORDS = Path(__file__).parent / "quality.jsonl"
PAGE = Path(__file__).parent / "README.md"
LOSS = "valid/loss"
HEAD = (
    *("rank", "router", "validation loss", "less dense", "n"),
    *("parameters", "FLOPs a token", "seconds a step, times dense"),
)
Runs = Mapping[str, Sequence[RunRecord]]  # entry -> its runs with fresh seeds


@dataclass(frozen=True)
class Place:
    """One row: an entry, and between which ranks it lies."""

    name: str
    loss: Interval
    gap: Interval  # to the dense model, paired by seed
    first: int
    last: int
    runs: Sequence[RunRecord]

    @property
    def rank(self) -> str:
        """The rank, or the ranks that its differences to others leave open."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def places(runs: Runs) -> list[Place]:
    """Return the entries, the lowest mean loss first.

    An entry lies before another where the 95% interval of their difference, paired by seed, leaves
    out zero; its first and last rank follow from how many lie before and behind it.

    Raises:
        ValueError: if an entry has no finished run.
    """
    losses = {name: _losses(name, of) for name, of in runs.items()}
    gaps = {
        (one, other): _difference(losses[one], losses[other]) for one in losses for other in losses
    }
    found = []
    for name, of in runs.items():
        others = [gaps[name, other] for other in losses if other != name]
        found.append(
            Place(
                name=name,
                loss=_interval(np.array(list(losses[name].values()))),
                gap=gaps[name, "dense"],
                first=1 + sum(gap.low > 0 for gap in others),
                last=len(losses) - sum(gap.high < 0 for gap in others),
                runs=[run for run in of if run.status == "finished"],
            )
        )
    return sorted(found, key=lambda place: place.loss.estimate)


def _losses(name: str, runs: Sequence[RunRecord]) -> dict[int, float]:
    """Return seed -> loss of the finished runs."""
    losses = {run.seed: run.metrics[LOSS] for run in runs if run.status == "finished"}
    if not losses:
        raise ValueError(f"{name}: no run finished")
    return losses


def _difference(one: Mapping[int, float], other: Mapping[int, float]) -> Interval:
    ours, theirs = paired(one, other)
    return _interval(ours - theirs)


def _interval(values: Values) -> Interval:
    return mean_interval(values, np.random.default_rng(0))


def rows(runs: Runs) -> list[tuple[str, ...]]:
    """Return the cells of the table, by `HEAD`."""
    ranked = places(runs)
    dense = next(place for place in ranked if place.name == "dense")
    pace = _mean(dense, "seconds_per_step")
    return [
        (
            place.rank,
            place.name,
            _shown(place.loss, "-"),
            "" if place is dense else _shown(place.gap, "+"),
            str(place.loss.n),
            wording.scaled(_mean(place, "params_total")),
            wording.scaled(_mean(place, "flops_per_token")),
            wording.digits(_mean(place, "seconds_per_step") / pace),
        )
        for place in ranked
    ]


def _mean(place: Place, cost: str) -> float:
    return float(np.mean([getattr(run, cost) for run in place.runs]))


def _shown(found: Interval, sign: str) -> str:
    """Return an estimate with its interval."""
    if found.n < 2:
        return wording.number(found.estimate, 3, sign)
    places = max(3, wording.decimals((found.high - found.low) / 2))
    low, high = (wording.number(end, places, sign) for end in (found.low, found.high))
    return f"{wording.number(found.estimate, places, sign)} [{low}, {high}]"


def text(runs: Runs) -> str:
    """Return the table for a terminal."""
    cells = [HEAD, *rows(runs)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def publish(runs: Runs) -> None:
    """Make the runs the committed ones and fill in the table of README.md."""
    write_all([replace(run, arm=name) for name, of in runs.items() for run in of], RECORDS)
    PAGE.write_text(with_leaderboard(PAGE.read_text(), read(RECORDS)))


def with_leaderboard(page: str, records: Sequence[RunRecord]) -> str:
    """Return README.md with the table of these records."""
    runs: dict[str, list[RunRecord]] = {}
    for record in records:
        runs.setdefault(record.arm, []).append(record)
    [steps] = {record.steps for record in records if record.status == "finished"}
    lead = (
        f"{len(runs)} models, {steps} steps on the default text. A rank is a range where the "
        "difference to others, paired by seed, is not clear."
    )
    return fill(page, "quality", f"{lead}\n\n{table(HEAD, rows(runs), 'll' + 'r' * 6)}")
