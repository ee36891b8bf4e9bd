"""The gain of every comparison at every size, and how it changes in a tenfold of parameters."""

from collections.abc import Sequence
from math import isnan

from moebench.evidence.record import RunRecord
from moebench.papers.plan import PaperTable
from moebench.report.formatting import interval, scaled
from moebench.statistics.estimates import mean
from moebench.verdict.paired_runs import Evidence
from reproductions.scale_axis.comparisons import SIZES, SPARSE, TESTS


def tables(records: Sequence[RunRecord]) -> list[PaperTable]:
    """Return the table; without runs it has dashes."""
    measured = SPARSE.gains(Evidence.of(SPARSE.arms, records))
    sizes = [
        name if isnan(gain.size) else f"{name}, {scaled(gain.size)}"
        for name, gain in zip(SIZES, measured, strict=True)
    ]
    rows = []
    for title, test in TESTS.items():
        evidence = Evidence.of(test.arms, records)
        gains = [interval(one.interval, "+") for one in test.gains(evidence)]
        slope = interval(mean(test.slopes(evidence)).interval, "+")
        rows.append([title, test.gain_unit, *gains, slope])
    return [
        PaperTable(
            name="gains by size",
            title="Gains by size",
            caption="What the first of two arms gains over the second, by active parameters, with "
            "95% intervals over the seeds.",
            head=["comparison", "unit", *sizes, "a tenfold"],
            rows=rows,
        )
    ]
