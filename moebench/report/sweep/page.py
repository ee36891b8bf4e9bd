"""The page of a sweep, and its table in plain text."""

from pathlib import Path

from markupsafe import Markup

from moebench.evidence.record_files import write_whole
from moebench.report import formatting
from moebench.report.gain_figure import gain_figure
from moebench.report.html import rendered
from moebench.report.paper.text_overlap import overlap_told
from moebench.report.sweep import figures as sweep_figures
from moebench.report.sweep import name_figures as sweep_names
from moebench.report.sweep.opening import UNTUNED, gains_of, opening, untuned
from moebench.report.sweep.summary import Summary, read_summary
from moebench.report.sweep.trial_rows import AGAINST, HEAD, against_rows, rows, trial_rows
from moebench.report.tables import table, wrapped
from moebench.report.theme import standalone
from moebench.verdict.marks import footnote, marked

COSTS = {"seconds_per_step": "seconds a training step", "route/dropped": "share dropped"}
CAPTION = "The winner minus each dense baseline on fresh seeds, with 95% intervals."


def sweep_plots(summary: Summary) -> dict[str, Markup]:
    """Return name -> figure, of the figures that this sweep has.

    Fronts are against its further objectives, and against time and dropped tokens whatever it is.
    """
    others = {name: name for name in summary.objectives if name != summary.objective}
    axes = {cost: axis for cost, axis in {**others, **COSTS}.items() if cost != summary.objective}
    found = {
        "surface": sweep_figures.surface(summary),
        **{
            f"pareto_{cost.replace('/', '_')}": sweep_figures.pareto(summary, cost, axis)
            for cost, axis in axes.items()
        },
        "importances": sweep_names.importances(summary),
        "parallel": sweep_names.parallel(summary),
        "history": sweep_figures.history(summary),
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def write_plots(summary: Summary, folder: Path) -> None:
    """Write every figure to `<name>.svg` in a folder, made if missing."""
    folder.mkdir(exist_ok=True)
    for name, figure in sweep_plots(summary).items():
        write_whole(folder / f"{name}.svg", standalone(figure))


def sweep_page(summary: Summary) -> str:
    """Return the page about a sweep, as HTML."""
    plots = sweep_plots(summary)
    gains = gains_of(summary)
    trials_head, trials = trial_rows(summary)
    return rendered(
        "sweep/page.html",
        summary=summary,
        opening=opening(summary),
        gains=gain_figure(gains, "winner and dense baselines") if gains else None,
        caption=CAPTION,
        counts=summary.counts(),
        head=HEAD,
        rows=rows(summary),
        against_head=AGAINST,
        against=against_rows(summary),
        untuned=UNTUNED if untuned(summary) else "",
        reach=reach(summary),
        surface=plots.get("surface"),
        dense=dense(summary),
        marked=marked,
        leaks=footnote(summary.leaks),
        overlap=overlap_told(summary.overlaps),
        trade_offs=[plots[name] for name in plots if name.startswith("pareto_")],
        history=plots.get("history"),
        importances=plots.get("importances"),
        parallel=plots.get("parallel"),
        trials_head=trials_head,
        trials=trials,
    )


def reach(summary: Summary) -> str:
    """Return the lowest and the highest value of the first objective, in words."""
    values = [trial.value(summary.objective) for trial in summary.measured]
    ends = (min(values), max(values)) if values else ()
    return " to ".join(formatting.digits(end, 4) for end in ends)


def dense(summary: Summary) -> list[str]:
    """Return the dense levels in words, as a figure may have no contour of them."""
    values = [trial.value(summary.objective) for trial in summary.measured]
    told = []
    for name, level, _ in sweep_figures.levels(summary) if values else ():
        side = "below every trial" if level <= min(values) else "above every trial"
        within = min(values) < level < max(values)
        told.append(f"{name}: {formatting.digits(level, 4)}" + ("" if within else f", {side}"))
    return told


def sweep_table(folder: Path) -> str:
    """Return first words, winner and baselines on fresh seeds as lines of text."""
    summary = read_summary(folder)
    counted = ", ".join(f"{count} {name}" for name, count in summary.counts().items())
    lines = [line for told in opening(summary) for line in wrapped(told)]
    lines += ["", f"{summary.name}: {formatting.plural(len(summary.trials), 'trial')}, {counted}"]
    if summary.best is not None:
        point = ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in summary.best.point.items()
        )
        best = marked(f"trial {summary.best.number}", summary.best.leaks)
        lines += wrapped(f"best: {best}, {point}")
    if summary.fresh:
        lines += table(HEAD, rows(summary), "l" + "r" * (len(HEAD) - 1))
        lines += wrapped(
            f"{summary.objective}; the sweep's own figure chose the winner, fresh seeds judge"
        )
    if summary.against:
        lines += ["", *table(AGAINST, against_rows(summary), "lrrr")]
    for note in (footnote(summary.leaks), overlap_told(summary.overlaps)):
        lines += wrapped(note)
    return "\n".join(lines)
