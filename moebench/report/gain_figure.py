"""The figure of gains: mixtures against dense models, on both axes side by side."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from moebench.report.formatting import with_unit
from moebench.report.gain import LOSS, TIME, TOKENS, Gain
from moebench.report.theme import SMALL, STAND_INS, canvas, drawing, element
from moebench.statistics import Interval

LINE, BETWEEN = 13.0, 8.0  # points; of a line of a name, and from one name to the next
LETTERS = 20  # in a line of a name
APART = {"wspace": 0.12}  # panels, so that the numbers at their ends do not touch


def gain_figure(found: Sequence[Gain], title: str) -> Markup:
    """Return the differences with their 95% intervals, the first on top.

    A mark is filled if its interval excludes zero, and has no line if there is only one seed.
    Unknown values have no mark. Panels with one metric share their scale.

    Args:
        found: the rows, all of one metric.
        title: title of the figure.
    """
    metric = found[0].metric
    with drawing(f"gains {title}"):
        names = [_wrapped(gain.name) for gain in found]
        row = BETWEEN + LINE * max(len(lines) for lines in names)
        figure = canvas(84 + row * len(found))
        panels = figure.subplots(1, 2, sharey=True, sharex=metric == LOSS, gridspec_kw=APART)
        sides = [(TOKENS, metric, [gain.tokens for gain in found])]
        sides += [(TIME, LOSS, [gain.time for gain in found])]
        for panel, (told, of, differences) in zip(panels, sides, strict=True):
            panel.set_title(told, loc="left")
            panel.grid(False, axis="y")
            panel.axvline(0, color=STAND_INS["faint"], linewidth=1, zorder=1)
            for row, difference in enumerate(differences):
                _mark(panel, row, difference, found[row].less or told == TIME)
            panel.tick_params(axis="y", length=0, labelcolor=STAND_INS["ink"])
            panel.spines["left"].set_visible(False)
            panel.xaxis.set_major_locator(MaxNLocator(3))
            panel.set_xlabel(with_unit(of))
        panels[0].set_yticks(range(len(found)), ["\n".join(lines) for lines in names])
        panels[0].tick_params(axis="y", labelsize=SMALL)
        panels[0].set_ylim(len(found) - 0.4, -0.6)
        return element(figure, f"Mixture minus dense with 95% intervals, {title}: {_told(found)}")


def _wrapped(name: str) -> list[str]:
    """Return the lines of a name."""
    return [line for part in name.splitlines() for line in wrap(part, LETTERS)]


def _mark(axes: Any, row: int, found: Interval, less: bool) -> None:
    """Draw one difference, green where the mixture is ahead and red where it is behind."""
    if not found.n:
        return
    decided = found.n > 1 and (found.low > 0 or found.high < 0)
    word = "reproduced" if (found.high < 0) == less else "not-reproduced"
    color = STAND_INS[word if decided else "inconclusive"]
    if found.n > 1:
        axes.plot([found.low, found.high], [row, row], color=color)
    face = color if decided else STAND_INS["page"]
    axes.plot([found.estimate], [row], marker="o", markersize=6, markerfacecolor=face, color=color)


def _told(found: Sequence[Gain]) -> str:
    """Return the rows in words."""
    parts = []
    for gain in found:
        known = ((TOKENS, gain.tokens), (TIME, gain.time))
        values = [f"{one.estimate:.3g} {label}" for label, one in known if one.n]
        parts.append(f"{' '.join(gain.name.split())} {', '.join(values) or 'not known'}")
    return "; ".join(parts)
