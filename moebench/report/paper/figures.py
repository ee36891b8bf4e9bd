"""Figures over training, each an `<svg>` element: curves, expert load."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from moebench.report.paper.runs import Band, LoadMap
from moebench.report.theme import Stroke, canvas, drawing, element, whole_numbers

UNDER, OVER = "#3585c6", "#d9622b"  # less and more than the even share, on light and on dark
FOLD = 2.0  # the load map saturates at the even share times or through 2 ** FOLD
SKIPPED = 0.2  # of training: losses fall too steeply there to leave room for the rest


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
