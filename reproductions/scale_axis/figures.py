"""The figure: what is gained against the size of the models, a panel for every comparison."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from moebench.evidence.record import RunRecord
from moebench.report import Drawing
from moebench.report.formatting import interval, scaled
from moebench.report.theme import SMALL, STAND_INS, Stroke, canvas, drawing, element
from moebench.statistics.estimates import mean
from moebench.verdict.paired_runs import Evidence
from reproductions.scale_axis.comparisons import TESTS
from reproductions.scale_axis.judging import Gain, GainOverSize

COLUMNS, PANEL, BELOW = 2, 168, 24  # panels in a row; points of a row, and below the last one


def draw(records: Sequence[RunRecord]) -> list[Drawing]:
    """Return the figure; none unless some comparison has runs of two seeds at two sizes."""
    shown = {title: found for title, test in TESTS.items() if (found := _shown(test, records))}
    if not shown:
        return []
    return [
        Drawing(
            "Gains and the size of the models",
            "What the first of two arms gains over the second, by active parameters. Marks: mean "
            "and 95% interval over the seeds. Line: the least-squares fit, with its slope, per "
            "tenfold of parameters, above the panel. In the grey band a gain is too small to "
            "count; the dotted line falls as steeply as counts as shrinking.",
            [_panels(shown, records)],
        )
    ]


def _shown(test: GainOverSize, records: Sequence[RunRecord]) -> list[Gain]:
    """Return the gains at the sizes that have several seeds; none if that is only one size."""
    gains = test.gains(Evidence.of(test.arms, records))
    found = [one for one in gains if len(one.values) > 1]
    return found if len(found) > 1 else []


def _panels(shown: dict[str, list[Gain]], records: Sequence[RunRecord]) -> Markup:
    """Draw the comparisons in rows of panels."""
    rows = -(-len(shown) // COLUMNS)
    with drawing("gains by size"):
        figure = canvas(PANEL * rows + BELOW)
        panels = list(figure.subplots(rows, COLUMNS, squeeze=False, sharex=True).flat)
        told = []
        for panel, (title, gains) in zip(panels, shown.items(), strict=False):
            test = TESTS[title]
            slope = mean(test.slopes(Evidence.of(test.arms, records))).interval
            panel.set_title(f"{title}\n{interval(slope, '+')}", loc="left", fontsize=SMALL)
            _draw(panel, test, gains)
            told.append(f"{title}, {test.gain_unit}: {'; '.join(one.told for one in gains)}")
        for last in panels[: len(shown)][-COLUMNS:]:
            last.tick_params(labelbottom=True)
        for empty in panels[len(shown) :]:
            empty.set_axis_off()
        figure.supxlabel("active parameters", fontsize=SMALL, color=STAND_INS["faint"])
        return element(figure, f"Gains by active parameters. {'. '.join(told)}")


def _draw(axes: Axes, test: GainOverSize, gains: Sequence[Gain]) -> None:
    """Draw one comparison: what counts, the means with their intervals, and the fitted line."""
    sizes = np.array([one.size for one in gains])
    found = [one.interval for one in gains]
    means = np.array([one.estimate for one in found])
    tenfolds = np.log10(sizes)
    axes.axhspan(-test.counted, test.counted, color=STAND_INS["rule"], linewidth=0)
    axes.axhline(0, color=STAND_INS["faint"], linewidth=1)
    line = np.polyval(np.polyfit(tenfolds, means, 1), tenfolds)
    falling = line[0] - test.margin * (tenfolds - tenfolds[0])
    axes.plot(sizes, falling, color=STAND_INS["faint"], linestyle=":")
    axes.plot(sizes, line, color=Stroke(0).color)
    for size, one in zip(sizes, found, strict=True):
        axes.plot([size, size], [one.low, one.high], color=Stroke(0).color)
        axes.plot([size], [one.estimate], "o", color=Stroke(0).color, markersize=5)
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel(test.gain_unit, fontsize=SMALL)
