"""The part of an explanation that shows the value of every run, or of every arm."""

from collections.abc import Sequence

from moebench.cli.explain.arm_groups import MANY, listed
from moebench.cli.explain.case import Case
from moebench.cli.explain.value_tables import by_arm, by_metric, by_seed, of_single_runs
from moebench.evidence.record import RunRecord
from moebench.report.tables import paragraph, table
from moebench.verdict.watched import metrics_read

MOST = 120  # runs, each with a value of its own; of more there are means
ROWS = 40  # in all tables of single runs, unless one alone has more
FEW = 2  # metrics of which there are means
FIRST = ("mean", "sd", "n", "failed")  # of what was measured; the rest are figures of the test


def values(case: Case) -> list[str]:
    """Return the value of every run of every number that the test reads.

    Of very many runs there are means and spreads, a row an arm, and how to see the rest.
    """
    claim, evidence = case.claim, case.evidence
    runs = [run for of in evidence.runs.values() for run in of.values()]
    if claim.test is None or not runs:
        return []
    judged = case.verdict.effect is not None
    names = (metrics_read(claim.test, evidence) if judged else []) or [claim.test.metric]
    same = _same(runs, names[1:])
    names = [name for name in names if name not in same]
    shown, tables = _tables(case, names, runs)
    figures = _figures(case)
    few = case.everything or len(figures) <= MANY
    told = [f"the test reads {listed(names[shown:])}, too"] if names[shown:] else []
    told += [] if case.everything or len(runs) <= MOST else ["each run has a value of its own"]
    told += [] if few else ["the test gives further figures for each arm"]
    return [
        *tables,
        *paragraph("in every run", ", ".join(f"{name} {value:g}" for name, value in same.items())),
        *(_headed(figures) if few else []),
        *_rest(case, told),
    ]


def _tables(case: Case, names: Sequence[str], runs: Sequence[RunRecord]) -> tuple[int, list[str]]:
    """Return how many of the metrics are shown, and the tables of them."""
    arms, evidence = case.claim.arms, case.evidence
    seeds = len({run.seed for run in runs})
    most = len(names) if case.everything else ROWS
    if seeds == 1:
        return most, of_single_runs(evidence, names[:most], arms)
    if len(arms) == 1 and seeds <= MANY:
        return most, by_metric(evidence, names[:most], arms[0])
    if len(runs) > MOST and not case.everything:
        return FEW, by_arm(evidence, names[:FEW], arms)
    number = max(1, most if case.everything else ROWS // seeds)
    found = [by_seed(evidence, name, arms) for name in names[:number]]
    return number, [line for part in found for line in ("", *part)][1:]


def _same(runs: Sequence[RunRecord], names: Sequence[str]) -> dict[str, float]:
    """Return metric -> value of those that are the same in all of several runs: no table."""
    found = {name: {run.metrics.get(name) for run in runs} for name in names if runs[1:]}
    return {
        name: value
        for name, values in found.items()
        for value in values
        if len(values) == 1 and value is not None
    }


def _rest(case: Case, told: Sequence[str]) -> list[str]:
    """Return what is not shown, and how to see it."""
    if not told:
        return []
    command = f"`moebench explain {case.claim.key} --all` shows all of it"
    return ["", *paragraph("not shown", f"{'; '.join(told)}; {command}")]


def _figures(case: Case) -> list[tuple[str, str]]:
    """Return each arm with the further figures that the test gives for it."""
    return [
        (arm, ", ".join(f"{k} {_short(v)}" for k, v in figures.items() if k not in FIRST))
        for arm, figures in case.verdict.measured.items()
        if set(figures) - set(FIRST)
    ]


def _headed(rows: Sequence[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    return ["", "further figures of the test, for each arm", *table((), rows, indent=2)]


def _short(value: object) -> str:
    """Return a number in four places; empty for none."""
    return f"{value:.4g}" if isinstance(value, int | float) else ""
