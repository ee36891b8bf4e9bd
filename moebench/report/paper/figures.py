"""The figures of the page, each an `<svg>` element: effects, curves, expert load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from textwrap import wrap
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from moebench.papers.claim import VerdictLabel
from moebench.report.paper.runs import Band, LoadMap
from moebench.report.theme import (
    SMALL,
    STAND_INS,
    Stroke,
    canvas,
    drawing,
    element,
    whole_numbers,
)
from moebench.verdict import Verdict

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
UNDER, OVER = "#3585c6", "#d9622b"  # less and more than the even share, on light and on dark
FOLD = 2.0  # the load map saturates at the even share times or through 2 ** FOLD
SKIPPED = 0.2  # of training: losses fall too steeply there to leave room for the rest
LINE, MARK = 13.0, 24.0  # points; of a line of a statement, and of the interval below it
LETTERS, LINES = 62, 2  # of a statement, in a line and at most


@dataclass(frozen=True)
class Effect:
    """A row of the forest plot: a verdict with an interval, and the margin of its claim."""

    verdict: Verdict
    margin: float  # in the unit of the verdict; zero where there is none


def forest(effects: Sequence[Effect], unit: str, name: str = "") -> Markup:
    """Return effects of one unit with their 95% intervals; bars behind them are the margins."""
    neutral = 1.0 if unit.startswith("ratio") else 0.0
    with drawing(f"forest {unit} {name}"):
        statements = [_wrapped(effect.verdict) for effect in effects]
        depths = [LINE * len(lines) + MARK for lines in statements]
        bottoms = list(accumulate(depths))
        figure = canvas(50 + bottoms[-1])
        axes = figure.subplots()
        axes.grid(False, axis="y")
        axes.axvline(neutral, color=STAND_INS["faint"], linewidth=1, zorder=1)
        for effect, lines, depth, bottom in zip(effects, statements, depths, bottoms, strict=True):
            _interval(axes, bottom - MARK / 2, effect)
            _statement(axes, bottom - depth, effect.verdict, lines)
        axes.set_yticks([])
        axes.set_ylim(bottoms[-1], 0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel(f"effect ({unit})")
        return element(figure, f"Effects with 95% intervals, in {unit}: {_told(effects)}")


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


def _interval(axes: Axes, height: float, effect: Effect) -> None:
    """Draw an effect at a height."""
    verdict = effect.verdict
    assert verdict.effect is not None
    word = verdict.verdict
    color = STAND_INS[COLORS.get(word, word.replace(" ", "-"))]
    if effect.margin:
        width = 2 * effect.margin
        bar: dict[str, Any] = {"height": 0.6 * MARK, "color": STAND_INS["faint"], "alpha": 0.25}
        axes.barh(height, width, left=-effect.margin, **bar)
    if verdict.low is not None and verdict.high is not None:
        axes.plot([verdict.low, verdict.high], [height, height], color=color, solid_capstyle="butt")
    style = {"markerfacecolor": color, **MARKERS[word]}
    axes.plot(
        [verdict.effect], [height], linestyle="none", markersize=8, markeredgecolor=color, **style
    )


def _told(effects: Sequence[Effect]) -> str:
    """Return the rows in words."""
    verdicts = [effect.verdict for effect in effects]
    return "; ".join(f"{v.claim} {v.effect:.3g}, {v.verdict}" for v in verdicts)


def curves(
    bands: Mapping[str, Band], strokes: Mapping[str, Stroke], axis: str, quantity: str, name: str
) -> Markup:
    """Return one line an arm, the mean over its seeds, with a band from smallest to largest.

    Args:
        bands: arm -> what to draw.
        strokes: arm -> how to draw it.
        axis: "training steps", or "seconds of training".
        quantity: what the vertical axis shows.
        name: of the group of arms.
    """
    with drawing(f"{name} {quantity} {axis}"):
        figure = canvas(250)
        axes = figure.subplots()
        for arm, band in bands.items():
            stroke = strokes[arm]
            x = band.step * (band.seconds_per_step if axis.startswith("seconds") else 1.0)
            axes.fill_between(x, band.low, band.high, color=stroke.color, alpha=0.16, linewidth=0)
            marker = "o" if len(x) == 1 else ""
            (line,) = axes.plot(x, band.mean, marker=marker, color=stroke.color)
            if stroke.dashes:
                line.set_dashes(stroke.dashes)
        _frame(axes, list(bands.values()), quantity)
        if not axis.startswith("seconds"):
            whole_numbers(axes.xaxis)
        axes.set_xlabel(axis)
        axes.set_ylabel(quantity)
        return element(figure, f"{quantity} against {axis}, {name}: {_ends(bands)}")


def _frame(axes: Axes, bands: Sequence[Band], quantity: str) -> None:
    """Set the limits of the axes."""
    axes.margins(x=0.02)
    if "share" in quantity:
        axes.set_ylim(bottom=0)
        return
    late = [band.step >= SKIPPED * band.step[-1] for band in bands]
    top = max(float(band.high[part].max()) for band, part in zip(bands, late, strict=True))
    bottom = min(float(band.low.min()) for band in bands)
    room = 0.04 * (top - bottom) or 0.5
    axes.set_ylim(bottom - room, top + room)


def _ends(bands: Mapping[str, Band]) -> str:
    """Return where every curve ends, in words."""
    return "; ".join(f"{arm} ends at {band.mean[-1]:.3g}" for arm, band in bands.items())


def load_map(maps: Sequence[LoadMap], arm: str) -> Markup:
    """Return the load of every expert over training, one panel a layer.

    A cell shows the base-2 logarithm of share * E: nothing at the even share 1 / E, the full
    colours at four times and a quarter of it.
    """
    stops = [(0.0, UNDER), (0.5, f"{UNDER}00"), (0.5, f"{OVER}00"), (1.0, OVER)]
    colors = LinearSegmentedColormap.from_list("load", stops)
    with drawing(f"load {arm}"):
        figure = canvas(44 + 78 * len(maps))
        panels = figure.subplots(len(maps), 1, sharex=True, squeeze=False)[:, 0]
        for panel, layer in zip(panels, maps, strict=True):
            steps, experts = layer.share_SE.shape
            with np.errstate(divide="ignore", invalid="ignore"):
                fold_ES = np.log2(layer.share_SE.T * experts).clip(-FOLD, FOLD)
            half = (layer.step[-1] - layer.step[0]) / (steps - 1) / 2 if steps > 1 else 0.5
            extent = (layer.step[0] - half, layer.step[-1] + half, experts - 0.5, -0.5)
            box = {"aspect": "auto", "interpolation": "none", "extent": extent}
            panel.imshow(fold_ES, cmap=colors, vmin=-FOLD, vmax=FOLD, **box)
            panel.grid(False)
            panel.set_yticks([0, experts - 1])
            panel.set_ylabel(f"layer {layer.layer}\nexpert")
        whole_numbers(panels[-1].xaxis)
        panels[-1].set_xlabel("training steps")
        return element(figure, f"Share of assignments by expert, {arm}: {_extremes(maps)}")


def _extremes(maps: Sequence[LoadMap]) -> str:
    """Return the load at the last logged step, in words."""
    return "; ".join(
        f"layer {layer.layer} ends between {np.nanmin(layer.share_SE[-1]):.3g}"
        f" and {np.nanmax(layer.share_SE[-1]):.3g} of an even {1 / layer.share_SE.shape[1]:.3g}"
        for layer in maps
    )
