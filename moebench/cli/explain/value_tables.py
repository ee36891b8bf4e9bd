"""Tables of the values of runs: a row a seed, a row a metric, or a row an arm."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from moebench.evidence.record import RunRecord
from moebench.report.tables import paragraph, table
from moebench.verdict.paired_runs import Evidence

UNITS = {  # the last part of the name of a metric -> what it is counted in
    "loss": "nats a token",
    "dropped": "share of the tokens",
    "accuracy": "share of the cases",
}


def named(metric: str) -> str:
    """Return a metric with what it is counted in, where that is known."""
    parts = metric.partition("@")[0].split("/")
    unit = next((UNITS[part] for part in reversed(parts) if part in UNITS), "")
    return f"{metric}, {unit}" if unit else metric


def by_seed(evidence: Evidence, metric: str, arms: Sequence[str]) -> list[str]:
    """Return the value of every run of one metric, a row a seed, with mean and spread."""
    found = {arm: evidence.values(metric, arm) for arm in arms}
    seeds = sorted({seed for runs in evidence.runs.values() for seed in runs})
    columns: list[list[str]] = [["seed", *map(str, seeds), "mean", "sd"]]
    for arm in arms:
        cells = [_cell(found[arm].get(seed), evidence.runs[arm].get(seed)) for seed in seeds]
        columns.append([arm, *cells, *_summary(found[arm])])
    if len(arms) == 2:
        one, other = found.values()
        columns.append(["difference", *_apart(one, other, seeds)])
    head, *rows = zip(*columns, strict=True)
    return [f"{named(metric)}, of every run", *table(head, rows, indent=2)]


def by_metric(evidence: Evidence, metrics: Sequence[str], arm: str) -> list[str]:
    """Return the values of every run of one arm, a row a metric, with mean and spread."""
    runs = evidence.runs[arm]
    head = ["number", *(f"seed {seed}" for seed in sorted(runs)), "mean", "sd"]
    rows = []
    for metric in metrics:
        found = evidence.values(metric, arm)
        cells = [_cell(found.get(seed), runs[seed]) for seed in sorted(runs)]
        rows.append([metric, *cells, *_summary(found)])
    return [f"every run of {arm}{_counted(metrics)}", *table(head, rows, indent=2)]


def of_single_runs(evidence: Evidence, metrics: Sequence[str], arms: Sequence[str]) -> list[str]:
    """Return the values of arms that have one run each, a row a metric."""
    head, rows = ["number", *arms], []
    for metric in metrics:
        cells = []
        for arm in arms:
            value = next(iter(evidence.values(metric, arm).values()), None)
            cells.append(_cell(value, next(iter(evidence.runs[arm].values()), None)))
        rows.append([metric, *cells])
    return [f"the single run{_counted(metrics)}", *table(head, rows, indent=2)]


def by_arm(evidence: Evidence, metrics: Sequence[str], arms: Sequence[str]) -> list[str]:
    """Return mean and spread of some metrics over the runs of each arm."""
    head, rows = ["arm", *metrics], []
    for arm in arms:
        found = [_summary(evidence.values(metric, arm)) for metric in metrics]
        rows.append([arm, *(" ± ".join(filter(None, summary)) for summary in found)])
    said = f"over the runs of every arm{_counted(metrics)}"
    return [*paragraph("mean ± sd", said), *table(head, rows, indent=2)]


def _counted(metrics: Sequence[str]) -> str:
    """Return what metrics are counted in, as the end of a heading."""
    known = [named(metric) for metric in metrics if named(metric) != metric]
    return f"; {'; '.join(known)}" if known else ""


def _apart(one: Mapping[int, float], other: Mapping[int, float], seeds: Sequence[int]) -> list[str]:
    """Return the differences of two arms, seed by seed, then their mean and spread."""
    apart = {seed: one[seed] - other[seed] for seed in seeds if seed in one and seed in other}
    cells = [f"{apart[seed]:+.4g}" if seed in apart else "" for seed in seeds]
    return [*cells, *_summary(apart, "+")]


def _summary(found: Mapping[int, float], sign: str = "") -> list[str]:
    """Return mean and standard deviation, empty where there are too few values."""
    known = list(found.values())
    mean = f"{fmean(known):{sign}.4g}" if known else ""
    return [mean, f"{stdev(known):.4g}" if len(known) > 1 else ""]


def _cell(value: float | None, record: RunRecord | None) -> str:
    """Return the value of a run, or why it has none."""
    if value is not None:
        return f"{value:.6g}"
    if record is None:
        return "no run"
    return "no value" if record.status == "finished" else record.status.replace("_", " ")
