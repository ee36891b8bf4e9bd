"""The page of a sweep, and its table in plain text."""

from pathlib import Path

from markupsafe import Markup

from moebench.evidence.record_files import write_whole
from moebench.report import formatting
from moebench.report.html import css, rendered
from moebench.report.paper.costs import flagged
from moebench.report.paper.text_overlap import overlap_told
from moebench.report.sweep import figures as sweep_figures
from moebench.report.sweep import name_figures as sweep_names
from moebench.report.sweep.summary import Summary, read_summary
from moebench.report.tables import table, wrapped
from moebench.report.theme import standalone
from moebench.verdict.marks import footnote, marked
from moebench.verdict.planned import TIME

HEAD = (
    *("arm", "best of", "in the sweep", "fresh seeds", "95% interval", "gap", "n"),
    *("parameters", "FLOPs a token", "seconds a step"),
)
UNTUNED = "the dense models were not tuned, which favours the winner"
COSTS = {"seconds_per_step": "seconds a training step", "route/dropped": "share dropped"}


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
        write_whole(folder / f"{name}.svg", standalone(figure, css()))


def sweep_page(summary: Summary) -> str:
    """Return the page about a sweep, as HTML."""
    plots = sweep_plots(summary)
    return rendered(
        "sweep/page.html",
        summary=summary,
        counts=summary.counts(),
        head=HEAD,
        rows=rows(summary),
        untuned=UNTUNED if untuned(summary) else "",
        measures=list(dict.fromkeys(name for trial in summary.trials for name in trial.values)),
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
        trials=sorted(summary.trials, key=lambda trial: _rank(summary, trial.number)),
    )


def _rank(summary: Summary, number: int) -> tuple[float, int]:
    """Return the order of the table of trials: the best first, those without a value last."""
    trial = summary.trials[number]
    if trial not in summary.measured:
        return float("inf"), number
    return trial.value(summary.objective) * (1 if summary.minimize else -1), number


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


def rows(summary: Summary) -> list[list[str]]:
    """Return the cells of winner and baselines on fresh seeds."""
    found = []
    for row in summary.fresh:
        costs, off = row["costs"], row.get("off_plan", {})  # nor leaks, in an older summary
        widest = (row.get("high") or 0.0) - (row.get("low") or 0.0)
        places = formatting.decimals(widest / 2 or row.get("gap") or 0.0) or 4
        known = row.get("low") is not None
        interval = f"[{row['low']:.{places}f}, {row['high']:.{places}f}]" if known else ""
        in_sweep, mean, gap = (
            "–" if row.get(key) is None else formatting.number(row[key], max(4, places), sign)
            for key, sign in (("in_sweep", "-"), ("mean", "-"), ("gap", "+"))
        )
        found.append(
            [
                marked(row["arm"].replace("_", " "), row.get("leaks", "")),
                str(row["chosen_from"]),
                *(in_sweep, mean, interval, gap),
                str(row["n"]) + (f" ({row['failed']} failed)" if row["failed"] else ""),
                *(
                    flagged(formatting.scaled(costs[name]), off.get(name)) if name in costs else "–"
                    for name in ("params_total", "flops_per_token")
                ),
                flagged(formatting.digits(costs[TIME]), off.get(TIME)) if costs else "–",
            ]
        )
    return found


def untuned(summary: Summary) -> bool:
    """Say whether the best of several trials stands beside dense models that were not tuned."""
    dense = [row for row in summary.fresh if row["arm"].startswith("dense_")]
    return len(summary.trials) > 1 and any(row["chosen_from"] == 1 for row in dense)


def sweep_table(folder: Path) -> str:
    """Return winner and baselines on fresh seeds as lines of text."""
    summary = read_summary(folder)
    counted = ", ".join(f"{count} {name}" for name, count in summary.counts().items())
    lines = [f"{summary.name}: {formatting.plural(len(summary.trials), 'trial')}, {counted}"]
    if summary.best is not None:
        point = ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in summary.best.point.items()
        )
        best = marked(f"trial {summary.best.number}", summary.best.leaks)
        lines += wrapped(f"best: {best}, {point}")
    if summary.fresh:
        lines += table(HEAD, rows(summary), "lrrrlr")
        lines += wrapped(
            f"{summary.objective}; the sweep's own figure chose the winner, fresh seeds judge"
        )
    if untuned(summary):
        lines.append(UNTUNED)
    for note in (footnote(summary.leaks), overlap_told(summary.overlaps)):
        lines += wrapped(note)
    return "\n".join(lines)
