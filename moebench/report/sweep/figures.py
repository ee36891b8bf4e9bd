"""Figures of a sweep over its trials: surface, trade-offs, history."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import LogLocator, NullFormatter

from moebench.report.formatting import decimals, number, with_unit
from moebench.report.sweep.opening import dense_name
from moebench.report.sweep.summary import Summary, Trial
from moebench.report.theme import (
    ON_PAGE,
    SMALL,
    STAND_INS,
    canvas,
    drawing,
    element,
    legend,
    whole_numbers,
)

LOW = "#3585c6"  # the colour of a low value, on light and on dark
GOOD, BEST, DENSE = STAND_INS["arm-1"], STAND_INS["arm-2"], ("arm-3", "arm-4", "arm-5")
FADED = STAND_INS["faint"]
NUMBERED = 8  # columns in which a number finds room


def surface(summary: Summary) -> Markup | None:
    """Return the first objective over two names of the space, None without two names.

    A grid is drawn as cells, anything else as points. Where a dense level lies within the values,
    it is a contour.
    """
    if len(summary.surface) < 2 or not summary.measured:
        return None
    x, y = summary.surface
    with drawing(f"surface {x} {y}"):
        figure = canvas(330)
        axes = figure.subplots()
        axes.grid(False)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        colors = _colors(summary)
        draw = _cells if summary.sampler == "GridSampler" else _points
        label = with_unit(summary.objective)
        bar: dict[str, Any] = {"ax": axes, "location": "bottom", "label": label, "aspect": 40}
        figure.colorbar(draw(axes, summary, colors), **bar)
        best = summary.best
        told = (
            f"the best {best.value(summary.objective):.4g} in trial {best.number}" if best else ""
        )
        return element(figure, f"{summary.objective} over {x} and {y}; {told}")


def _colors(summary: Summary) -> LinearSegmentedColormap:
    """Return colours in which the better end is strong."""
    ends = [(0.0, LOW), (1.0, f"{LOW}00")]
    stops = ends if summary.minimize else [(1 - place, color) for place, color in ends[::-1]]
    return LinearSegmentedColormap.from_list("surface", stops)


def _cells(axes: Axes, summary: Summary, colors: LinearSegmentedColormap) -> ScalarMappable:
    """Draw a grid: means over all that is not shown, also as numbers if they fit."""
    x, y = summary.surface
    columns, rows = summary.places(x), summary.places(y)
    values = np.array([[_mean_at(summary, {x: c, y: r}) for c in columns] for r in rows])
    image = axes.imshow(values, cmap=colors, origin="lower", aspect="auto", interpolation="none")
    axes.set_xticks(range(len(columns)), [_short(value) for value in columns])
    axes.set_yticks(range(len(rows)), [_short(value) for value in rows])
    finite = values[np.isfinite(values)]
    spread = float(finite.max() - finite.min()) if len(finite) else 0.0
    places = min(3, decimals(spread / 10) or 2)
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if not np.isfinite(value):
            axes.text(column, row, "✕", bbox=ON_PAGE, **middle)
        elif len(columns) <= NUMBERED:
            axes.text(column, row, number(float(value), places), bbox=ON_PAGE, **middle)
    if min(values.shape) > 1:
        for name, level, color in levels(summary):
            if finite.min() < level < finite.max():
                shown = np.ma.masked_invalid(values)
                axes.contour(shown, levels=[level], colors=[color], linewidths=[2.2])
                axes.plot([], [], color=color, label=name)
        legend(axes)
    return image


def _points(axes: Axes, summary: Summary, colors: LinearSegmentedColormap) -> ScalarMappable:
    """Draw single trials, and a contour where there are enough numbers; return the colours."""
    x, y = summary.surface
    done = summary.measured
    at = {name: [summary.position(name, trial.point[name]) for trial in done] for name in (x, y)}
    values = [trial.value(summary.objective) for trial in done]
    dots = axes.scatter(at[x], at[y], c=values, cmap=colors, s=70, edgecolors=FADED, linewidths=0.8)
    scales = ((axes.xaxis, axes.set_xscale, x), (axes.yaxis, axes.set_yscale, y))
    for axis, set_scale, name in scales:
        if summary.space[name]["log"]:
            set_scale("log")
            short = max(at[name]) < 100 * min(at[name])  # has too few powers of ten, or none
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())  # its labels are formulas
        if summary.space[name]["values"]:
            places = summary.places(name)
            axis.set_ticks(range(len(places)), [_short(value) for value in places])
    if summary.publishable and not any(summary.space[name]["values"] for name in (x, y)):
        for name, level, color in levels(summary):
            if min(values) < level < max(values) and not _on_a_line(at[x], at[y]):
                axes.tricontour(at[x], at[y], values, levels=[level], colors=[color])
                axes.plot([], [], color=color, label=name)
        legend(axes)
    axes.use_sticky_edges = False  # a contour ends at the outermost points and would cut them
    axes.margins(0.06)
    return dots


def _on_a_line(x: Sequence[float], y: Sequence[float]) -> bool:
    """Say whether points span no triangle, as when a range has a single value."""
    centred = np.stack([x, y]) - np.mean([x, y], axis=1, keepdims=True)
    return bool(np.linalg.matrix_rank(centred) < 2)


def _mean_at(summary: Summary, point: Mapping[str, Any]) -> float:
    """Return the mean of the trials at a part of the space; not a number where there is none."""
    found = [
        trial.value(summary.objective)
        for trial in summary.measured
        if all(trial.point[name] == value for name, value in point.items())
    ]
    return float(np.mean(found)) if found else np.nan


def levels(summary: Summary) -> list[tuple[str, float, str]]:
    """Return name, value of the first objective and colour of every dense baseline."""
    return [
        (dense_name(arm), values[summary.objective], color)
        for (arm, values), variable in zip(summary.baselines.items(), DENSE, strict=False)
        for color in [STAND_INS[variable]]
        if summary.objective in values
    ]


def pareto(summary: Summary, cost: str, axis: str) -> Markup | None:
    """Return the first objective against a cost, with the trials that no other beats in both.

    Less of a cost is better, unless it is an objective to maximise. None if it is the same for all,
    such as the tokens dropped without a capacity.
    """
    done = [trial for trial in summary.measured if cost in trial.values]
    if len({trial.values[cost] for trial in done}) < 2:
        return None
    x = np.array([trial.values[cost] for trial in done])
    y = np.array([trial.value(summary.objective) for trial in done])
    less = summary.objectives.get(cost, "minimize") == "minimize"
    best = front(x if less else -x, y if summary.minimize else -y)
    with drawing(f"pareto {cost}"):
        figure = canvas(270)
        axes = figure.subplots()
        axes.scatter(x, y, s=22, color=FADED, alpha=0.7, linewidths=0)
        axes.plot(
            x[best], y[best], color=GOOD, marker="o", markersize=6, label="no trial is better"
        )
        dense = [values for values in summary.baselines.values() if summary.objective in values]
        for (name, level, color), values in zip(levels(summary), dense, strict=False):
            if cost in values:
                axes.plot([values[cost]], [level], color=color, marker="D", ls="none", label=name)
            else:
                axes.axhline(level, color=color, dashes=(5, 2), label=name)
        axes.set_xlabel(axis)
        axes.set_ylabel(with_unit(summary.objective))
        legend(axes)
        told = ", ".join(str(done[index].number) for index in best)
        return element(figure, f"{summary.objective} against {axis}; the front is trials {told}")


def front(x: Any, y: Any) -> list[int]:
    """Return the places of the points that no other is below in both, from left to right."""
    found: list[int] = []
    for index in np.lexsort((y, x)):
        if not found or y[index] < y[found[-1]]:
            found.append(int(index))
    return found


def history(summary: Summary) -> Markup | None:
    """Return the first objective by the number of the trial, and the best so far."""
    done = summary.measured
    if not done:
        return None
    numbers = [trial.number for trial in done]
    values = np.array([trial.value(summary.objective) for trial in done])
    best = (np.minimum if summary.minimize else np.maximum).accumulate(values)
    with drawing("history"):
        figure = canvas(280)
        axes = figure.subplots()
        axes.scatter(numbers, values, s=22, color=FADED, alpha=0.7, linewidths=0)
        axes.plot(numbers, best, color=GOOD, drawstyle="steps-post", label="best so far")
        for name, level, color in levels(summary):
            axes.axhline(level, color=color, dashes=(5, 2), label=name)
        _others(axes, summary.trials)
        whole_numbers(axes.xaxis)
        axes.set_xlabel("trial")
        axes.set_ylabel(with_unit(summary.objective))
        legend(axes)
        return element(figure, f"{summary.objective} by trial; the best is {best[-1]:.4g}")


def _others(axes: Axes, trials: Sequence[Trial]) -> None:
    """Mark the trials without a value at the foot of the figure."""
    statuses = sorted({trial.status for trial in trials if trial.status != "finished"})
    for status, marker in zip(statuses, "xv+s", strict=False):
        numbers = [trial.number for trial in trials if trial.status == status]
        axes.plot(
            numbers,
            [0.02] * len(numbers),
            marker=marker,
            linestyle="none",
            color=BEST,
            transform=axes.get_xaxis_transform(),
            label=status.replace("_", " "),
        )


def _short(value: object) -> str:
    """Return a tick label."""
    return f"{value:g}" if isinstance(value, float) else str(value)


__all__ = ["front", "history", "levels", "pareto", "surface"]
