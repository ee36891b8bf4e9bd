"""The rows of the tables of a sweep: winner and baselines, their differences, all trials."""

from typing import Any

from moebench.report import formatting
from moebench.report.paper.costs import flagged
from moebench.report.sweep.opening import gains_of
from moebench.report.sweep.summary import Summary, Trial
from moebench.verdict.marks import marked
from moebench.verdict.planned import TIME

HEAD = (
    *("arm", "best of", "in the sweep", "fresh seeds", "95% interval", "gap", "n"),
    *("parameters", "FLOPs a token", "seconds a step"),
)
AGAINST = ("winner against", "at equal tokens", "at equal time", "n")


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


def against_rows(summary: Summary) -> list[list[str]]:
    """Return the differences of the winner to every dense baseline, by `AGAINST`."""
    return [
        [
            gain.name,
            formatting.interval(gain.tokens, "+"),
            formatting.interval(gain.time, "+"),
            str(gain.tokens.n),
        ]
        for gain in gains_of(summary)
    ]


def trial_rows(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the rows of all trials, the best first, then the dense baselines."""
    measures = list(dict.fromkeys(name for trial in summary.trials for name in trial.values))
    ranked = sorted(summary.trials, key=lambda trial: _rank(summary, trial))

    def measured(values: Any) -> list[str]:
        return [formatting.digits(values[n], 4) if n in values else "–" for n in measures]

    found = [
        [
            marked(str(trial.number), trial.leaks),
            *(_short(trial.point.get(name, "–")) for name in summary.space),
            *measured(trial.values),
            _status(trial),
        ]
        for trial in ranked
    ]
    found += [
        [arm.replace("_", " "), *("–" for _ in summary.space), *measured(values), "baseline"]
        for arm, values in summary.baselines.items()
    ]
    return ["trial", *summary.space, *measures, "status"], found


def _rank(summary: Summary, trial: Trial) -> tuple[bool, float, int]:
    """Return the order of the table of trials: the best first, then infeasible ones.

    Those without a value come last.
    """
    if trial not in summary.measured:
        return True, float("inf"), trial.number
    value = trial.value(summary.objective) * (1 if summary.minimize else -1)
    return bool(trial.infeasible), value, trial.number


def _status(trial: Trial) -> str:
    """Return how a trial ended."""
    cached = "" if trial.cached_from is None else f", as trial {trial.cached_from}"
    why = f": {trial.why}" if trial.why else ""
    over = f", infeasible in {', '.join(trial.infeasible)}" if trial.infeasible else ""
    return f"{trial.status.replace('_', ' ')}{cached}{why}{over}"


def _short(value: object) -> str:
    """Return a value of the space; yes and no are no numbers."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.4g}" if number else str(value)
