"""Figures of a sweep over the names of its space: how much each matters, and how they combine."""

import numpy as np
from markupsafe import Markup

from moebench.report.sweep.figures import FADED, GOOD, levels
from moebench.report.sweep.summary import Summary, Trial
from moebench.report.theme import SMALL, STAND_INS, canvas, drawing, element, legend

BEST_SHARE = 0.2  # of the trials, drawn in colour


def importances(summary: Summary) -> Markup | None:
    """Return the share of the variance that each name explains, with its bootstrap interval."""
    found = summary.importances
    if not found:
        return None
    with drawing("importances"):
        figure = canvas(60 + 34 * len(found))
        axes = figure.subplots()
        axes.grid(False, axis="y")
        for row, value in enumerate(found.values()):
            axes.barh(row, value["share"], height=0.5, color=GOOD, alpha=0.55)
            axes.plot([value["low"], value["high"]], [row, row], color=STAND_INS["ink"])
        axes.set_yticks(range(len(found)), list(found))
        axes.tick_params(axis="y", length=0, labelcolor=STAND_INS["ink"])
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel(f"share of the variance of {summary.objective}")
        told = "; ".join(f"{name} {value['share']:.2f}" for name, value in found.items())
        return element(figure, f"Importances: {told}")


def parallel(summary: Summary) -> Markup | None:
    """Return one line a trial through all names and the first objective; the best in colour.

    Dense baselines have none of the names: they are marks on the last axis.
    """
    done = sorted(summary.measured, key=lambda trial: trial.value(summary.objective))
    if len(done) < 2:
        return None
    if not summary.minimize:
        done = done[::-1]
    names = list(summary.space)
    best = max(1, round(BEST_SHARE * len(done)))
    with drawing("parallel"):
        figure = canvas(270)
        axes = figure.subplots()
        axes.grid(False, axis="y")
        for rank, trial in reversed(list(enumerate(done))):
            chosen = rank < best
            axes.plot(
                range(len(names) + 1),
                [
                    *(_height(summary, name, trial) for name in names),
                    _loss(summary, trial.value(summary.objective)),
                ],
                color=GOOD if chosen else FADED,
                alpha=0.9 if chosen else 0.3,
                linewidth=1.6 if chosen else 0.8,
            )
        for name, level, color in levels(summary):
            height = _loss(summary, level)
            axes.plot([len(names)], [height], color=color, marker="D", ls="none", label=name)
        legend(axes, 1.08)  # above the ends of the axes
        axes.set_xticks(range(len(names) + 1), [*names, summary.objective])
        axes.tick_params(axis="x", labelrotation=20 if len(names) > 2 else 0)
        axes.set_yticks([])
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.margins(x=0.08)
        _ends(summary, axes, names)
        return element(
            figure, f"Parallel coordinates of {len(done)} trials; the best {best} in colour"
        )


def _ends(summary: Summary, axes: object, names: list[str]) -> None:
    """Write the smallest and the largest value at both ends of every axis."""
    ends = [(places[0], places[-1]) for name in names for places in [summary.places(name)]]
    for place, (low, high) in enumerate([*ends, _reach(summary)]):
        for height, value, side in ((-0.03, low, "top"), (1.03, high, "bottom")):
            text = f"{value:.4g}" if isinstance(value, int | float) else str(value)
            axes.text(place, height, text, ha="center", va=side, fontsize=SMALL)  # type: ignore[attr-defined]


def _height(summary: Summary, name: str, trial: Trial) -> float:
    """Return where a trial crosses the axis of a name, from 0 to 1."""
    position = summary.position(name, trial.point[name])
    places = [summary.position(name, value) for value in summary.places(name)]
    log = summary.space[name]["log"]
    scale = np.log if log else float
    low, high = scale(min(places)), scale(max(places))
    return float((scale(position) - low) / (high - low)) if high > low else 0.5


def _loss(summary: Summary, value: float) -> float:
    """Return where a value of the first objective lies on the last axis, from 0 to 1."""
    low, high = _reach(summary)
    return (value - low) / (high - low) if high > low else 0.5


def _reach(summary: Summary) -> tuple[float, float]:
    """Return the ends of the last axis: the extremes of trials and dense baselines."""
    values = [trial.value(summary.objective) for trial in summary.measured]
    values += [level for _, level, _ in levels(summary)]
    return min(values), max(values)
