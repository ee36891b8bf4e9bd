"""The figure of load over training, from what records keep: a row an arm, a column a tenth."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from moebench.evidence.load_curve import PARTS, load_curve
from moebench.evidence.record import RunRecord
from moebench.report.formatting import number
from moebench.report.paper.figures import FOLD, OVER
from moebench.report.theme import SMALL, STAND_INS, canvas, drawing, element
from moebench.statistics import Values

CAPTION = (
    "The load of the busiest expert over training, as a multiple of its even share: 1 is even. "
    "A column is a tenth of training; a number is the mean over it, over layers and over seeds."
)
ROW = 19.0  # points
ROUND = 9.95  # from here on, a cell has no room for decimals
FULL = "bf"  # opacity of the deepest colour, on which a number can be read in any theme


def mean_loads(records: Iterable[RunRecord], arms: Sequence[str]) -> dict[str, Values]:
    """Return arm -> its load in every part of training, the mean over its finished runs.

    Args:
        records: of any arm and status.
        arms: the arms to look at, in order; those whose records keep no load are left out.
    """
    kept: dict[str, list[dict[int, float]]] = {}
    for record in records:
        points = load_curve(record) if record.status == "finished" else {}
        if points:
            kept.setdefault(record.arm, []).append(points)
    return {arm: _mean(kept[arm]) for arm in dict.fromkeys(arms) if arm in kept}


def _mean(seeds: Sequence[Mapping[int, float]]) -> Values:
    """Return the mean over the seeds that have a point; NaN in parts for which none has."""
    parts = ([points[part] for points in seeds if part in points] for part in range(1, PARTS + 1))
    return np.array([fmean(values) if values else np.nan for values in parts])


def load_table(loads: Mapping[str, Values]) -> Markup:
    """Return the table of loads, the deeper in colour the further from even.

    A cell is as deep as in the map of every expert: full at four times the even share.

    Args:
        loads: arm -> load of its busiest expert in every part of training; not empty.
    """
    with drawing("load over training"):
        figure = canvas(42 + ROW * len(loads))
        axes = figure.subplots()
        folds = np.log2(np.array(list(loads.values()))).clip(0, FOLD)
        colors = LinearSegmentedColormap.from_list("over", [f"{OVER}00", f"{OVER}{FULL}"])
        edges = np.arange(PARTS + 1), np.arange(len(loads) + 1)
        axes.pcolormesh(*edges, folds, cmap=colors, vmin=0, vmax=FOLD, linewidth=0)
        for row, values in enumerate(loads.values()):
            _numbers(axes, row, values)
        axes.grid(False)
        axes.invert_yaxis()
        axes.set_yticks(np.arange(len(loads)) + 0.5, list(loads))
        ends = range(1, PARTS + 1)
        axes.set_xticks(ends, [f"{100 * part // PARTS}" for part in ends])
        axes.tick_params(length=0, labelsize=SMALL)
        axes.tick_params(axis="y", labelcolor=STAND_INS["ink"])
        axes.spines[:].set_visible(False)
        axes.set_xlabel("per cent of training")
        return element(figure, f"Load of the busiest expert over training: {_told(loads)}")


def _numbers(axes: Axes, row: int, values: Values) -> None:
    """Write the loads of an arm into its cells."""
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
    for column, value in enumerate(values):
        if np.isfinite(value):
            told = number(float(value), 1 if value < ROUND else 0)
            axes.text(column + 0.5, row + 0.5, told, **middle)


def _told(loads: Mapping[str, Values]) -> str:
    """Return the load at both ends of training, in words."""
    known = {arm: row[np.isfinite(row)] for arm, row in loads.items()}
    return "; ".join(f"{arm} from {row[0]:.3g} to {row[-1]:.3g}" for arm, row in known.items())
