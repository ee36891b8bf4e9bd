"""Tables 1 and 2 of the paper with our figures beside its own, and the time of a run."""

from collections.abc import Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.plan import PaperTable
from moebench.statistics import Values
from moebench.verdict.paired_runs import Evidence
from reproductions.jordan_1994.judging import EPOCHS, ERROR, SECONDS, without_failed

NOTHING = "–"
# Arm -> its name, relative error and epochs in the paper.
SYSTEMS = {
    "linear": ("linear", "0.31", "1"),
    "backprop_batch": ("back-propagation, Table 1", "0.09", "5500"),
    "hme_em": ("hierarchy, algorithm 1", "0.10", "35"),
    "hme_least_squares": ("hierarchy, algorithm 2", "0.12", "39"),
    "backprop_online": ("back-propagation, Table 2", "0.08", "63"),
    "backprop_adam": (NOTHING, NOTHING, NOTHING),
    "hme_online": ("hierarchy, recursive", "0.12", "2"),
    "hme_gradient": ("hierarchy, gradient", "0.15", "104"),
}


def tables(records: Sequence[RunRecord]) -> list[PaperTable]:
    """Return the table: one row per system, with means over the runs that did not fail."""
    evidence = Evidence.of(tuple(SYSTEMS), records)
    rows = []
    for arm, (name, error, epochs) in SYSTEMS.items():
        errors, ours, seconds = (
            without_failed(evidence, metric, arm) for metric in (ERROR, EPOCHS, SECONDS)
        )
        failed = f"{len(evidence.runs[arm]) - len(errors)} of {len(evidence.runs[arm])}"
        cells = [error, _mean(errors, 4), epochs, _mean(ours, 0), failed, _mean(seconds, 1)]
        rows.append([arm, name, *cells])
    head = ["arm", "system of the paper", "error, paper", "error, here", "epochs, paper"]
    return [
        PaperTable(
            name="tables 1 and 2",
            title="Tables 1 and 2, relative errors and epochs",
            caption="Here: means over the runs that did not fail, with their standard deviation; "
            "seconds are for training and measuring a run with a number of epochs fixed in "
            "advance.",
            head=[*head, "epochs, here", "failed", "seconds"],
            rows=rows,
        )
    ]


def _mean(values: Values, digits: int) -> str:
    """Return mean and standard deviation; a dash without runs."""
    if not len(values):
        return NOTHING
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
