"""The table of wrong verdicts: from the committed result line to the page with the rules."""

import json
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.timing import RESULTS
from benchmarks.worlds import SPREADS
from moebench.report import fill
from moebench.report.paper.markdown import table

BAR = 0.05  # of errors
COVERED = (0.93, 0.97)  # of intervals
PAGE = Path(__file__).parents[1] / "moebench" / "verdict" / "README.md"

Rates = Mapping[str, float]  # kind of error or interval -> share


def committed() -> Mapping[str, Any]:
    """Return the last result line of `python -m benchmarks.verdicts`."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    found: Mapping[str, Any] = [one for one in lines if one["benchmark"] == "verdicts"][-1]
    return found


def missed(kind: str, rate: float) -> bool:
    """Say whether a rate misses its bar."""
    if kind.startswith("coverage"):
        return not COVERED[0] <= rate <= COVERED[1]
    return rate > BAR


def explained(claims: int) -> str:
    """Explain how the numbers were obtained, and how precise they are."""
    noise = 100 * 1.96 * sqrt(BAR * (1 - BAR) / claims)
    spreads = ", ".join(f"{spread:g}" for spread in SPREADS)
    return (
        f"{claims} claims per cell, so that a true rate of {BAR:.0%} shows within {noise:.1f} "
        f"points. An error is that of the worst spread, of {spreads} margins."
    )


def with_rates(page: str, line: Mapping[str, Any]) -> str:
    """Return the page with the table of a result line."""
    cells: Mapping[str, Rates] = line["ratios"]
    worlds = list(dict.fromkeys(name.partition(", n = ")[0] for name in cells))
    seeds = list(dict.fromkeys(name.partition(", n = ")[2] for name in cells))
    rows = [
        (kind, *(" ".join(_shown(kind, cells[f"{w}, n = {n}"]) for n in seeds) for w in worlds))
        for kind in next(iter(cells.values()))
    ]
    lead = (
        f"Per cent at n = {', '.join(seeds)}. {explained(line['settings']['claims'])} ✕ marks what "
        f"misses its bar: errors {BAR:.0%}, coverage {COVERED[0]:.0%} to {COVERED[1]:.0%}."
    )
    return fill(page, "rates", f"{lead}\n\n{table(('', *worlds), rows, 'l' * (1 + len(worlds)))}")


def _shown(kind: str, rates: Rates) -> str:
    """Return a rate in percent, marked where it misses its bar."""
    return f"{'✕' if missed(kind, rates[kind]) else ''}{100 * rates[kind]:.1f}"


def publish() -> None:
    """Regenerate the table."""
    PAGE.write_text(with_rates(PAGE.read_text(), committed()))


if __name__ == "__main__":
    publish()
