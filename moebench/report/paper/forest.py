"""The figure of effects: one row a verdict, with its interval and what would have counted."""

from collections.abc import Sequence
from itertools import accumulate
from textwrap import wrap
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from moebench.papers.claim import VerdictLabel
from moebench.report.theme import SMALL, STAND_INS, canvas, drawing, element
from moebench.verdict import Verdict

CAPTION = (
    "Point: the effect. Line: its 95% interval. Grey bar: the values that would support the claim; "
    "those of a null control are not to be reached. Vertical line: no effect. "
    "Marks: ● reproduced, ◐ partial, ✕ not reproduced, ○ inconclusive; squares are controls, "
    "■ passed, □ undecided, crossed where they failed."
)
MARKERS: dict[VerdictLabel, dict[str, Any]] = {  # the shapes of the words in the tables
    VerdictLabel.REPRODUCED: {"marker": "o"},
    VerdictLabel.PARTIAL: {
        "marker": "o",
        "fillstyle": "left",
        "markerfacecoloralt": STAND_INS["page"],
    },
    VerdictLabel.NOT_REPRODUCED: {"marker": "x", "markeredgewidth": 2.4},
    VerdictLabel.INCONCLUSIVE: {"marker": "o", "markerfacecolor": STAND_INS["page"]},
    VerdictLabel.PASSED: {"marker": "s"},
    VerdictLabel.FAILED: {"marker": "X"},
    VerdictLabel.UNDECIDED: {"marker": "s", "markerfacecolor": STAND_INS["page"]},
}
COLORS: dict[VerdictLabel, str] = {  # of words that have none of their own
    VerdictLabel.PASSED: "reproduced",
    VerdictLabel.FAILED: "not-reproduced",
    VerdictLabel.UNDECIDED: "inconclusive",
}
LINE, MARK = 13.0, 24.0  # points; of a line of a statement, and of the interval below it
LETTERS, LINES = 62, 2  # of a statement, in a line and at most
ROOM = 0.04  # share of the axis that is left free at either end
WIDE = 4.0  # from this ratio of its ends on, an axis of ratios has ticks at 1, 2, 5, 10


def drawn_of(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Return unit -> the verdicts that the figure has: those with an interval of some width."""
    units: dict[str, list[Verdict]] = {}
    for one in verdicts:
        if one.low is not None and one.high is not None and one.low < one.high:
            units.setdefault(one.unit, []).append(one)
    return units


def forest(verdicts: Sequence[Verdict], unit: str, name: str = "") -> Markup:
    """Return effects of one unit with their 95% intervals; bars behind them are what counts.

    The axis of ratios is logarithmic: half is as far from no effect as double.

    Args:
        verdicts: the rows, the first on top, each with an interval.
        unit: of all effects.
        name: of the figure, where another has the same unit.
    """
    with drawing(f"forest {unit} {name}"):
        statements = [_wrapped(verdict) for verdict in verdicts]
        depths = [LINE * len(lines) + MARK for lines in statements]
        bottoms = list(accumulate(depths))
        figure = canvas(50 + bottoms[-1])
        axes = figure.subplots()
        axes.grid(False, axis="y")
        _scale(axes, verdicts, unit)
        for verdict, lines, depth, bottom in zip(
            verdicts, statements, depths, bottoms, strict=True
        ):
            _counting(axes, bottom - MARK / 2, verdict)
            _interval(axes, bottom - MARK / 2, verdict)
            _statement(axes, bottom - depth, verdict, lines)
        axes.set_yticks([])
        axes.set_ylim(bottoms[-1], 2)  # without a stub of lines above the first statement
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"effect ({unit})")
        return element(figure, f"Effects with 95% intervals, in {unit}: {_told(verdicts)}")


def _scale(axes: Axes, verdicts: Sequence[Verdict], unit: str) -> None:
    """Set scale, ends and ticks of the axis, and draw the line of no effect."""
    neutral = 1.0 if unit.startswith("ratio") else 0.0
    ends = [(one.low, one.high, one.least, one.most) for one in verdicts]
    known = [neutral, *(end for row in ends for end in row if end is not None)]
    low, high = min(known), max(known)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    if neutral == 1.0 and low > 0:
        axes.set_xscale("log")
        far = high / low >= WIDE
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if far else MaxNLocator(6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        room = (high / low) ** ROOM
        axes.set_xlim(low / room, high * room)
    else:
        room = ROOM * (high - low)
        axes.set_xlim(low - room, high + room)
    axes.axvline(neutral, color=STAND_INS["faint"], linewidth=1, zorder=1)


def _wrapped(verdict: Verdict) -> list[str]:
    """Return the lines of what a claim says."""
    told = f"{verdict.claim}: {verdict.says}"
    return wrap(told, LETTERS, max_lines=LINES, placeholder=" …", break_on_hyphens=False)


def _statement(axes: Axes, top: float, verdict: Verdict, lines: Sequence[str]) -> None:
    """Write below a height what a claim says, with a link to the claim."""
    ground = {"facecolor": STAND_INS["page"], "edgecolor": "none", "pad": 1.0}  # no line crosses it
    place: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "va": "top",
        "bbox": ground,
    }
    axes.text(0, top + 2, "\n".join(lines), fontsize=SMALL, url=f"#{verdict.claim}", **place)


def _counting(axes: Axes, height: float, verdict: Verdict) -> None:
    """Draw at a height the values that would support a claim, if it has a limit."""
    if verdict.least is None and verdict.most is None:
        return
    left, right = axes.get_xlim()
    least = left if verdict.least is None else verdict.least
    most = right if verdict.most is None else verdict.most
    bar: dict[str, Any] = {"height": 0.6 * MARK, "color": STAND_INS["faint"], "alpha": 0.2}
    axes.barh(height, most - least, left=least, **bar)


def _interval(axes: Axes, height: float, verdict: Verdict) -> None:
    """Draw an effect at a height."""
    word = verdict.verdict
    color = STAND_INS[COLORS.get(word, word.replace(" ", "-"))]
    ends, effect = np.array([verdict.low, verdict.high], float), np.array([verdict.effect], float)
    axes.plot(ends, [height, height], color=color, solid_capstyle="butt")
    style = {"markerfacecolor": color, **MARKERS[word]}
    axes.plot(effect, [height], linestyle="none", markersize=8, markeredgecolor=color, **style)


def _told(verdicts: Sequence[Verdict]) -> str:
    """Return the rows in words."""
    return "; ".join(f"{one.claim} {one.effect:.3g}, {one.verdict}" for one in verdicts)
