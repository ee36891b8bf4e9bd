"""The mark of runs whose routing saw what a causal model must not, and the footnote under it."""

from collections.abc import Iterable

from moebench.records import RunRecord

MARK = " †"


def marked(arm: str, records: Iterable[RunRecord]) -> str:
    """Return the arm's name, with a mark if one of its records leaks."""
    return arm + (MARK if any(record.leaks for record in records) else "")


def footnote(records: Iterable[RunRecord]) -> str:
    """Return what the mark means, with all that leaks; empty if no record has it."""
    kinds = sorted({kind for record in records for kind in record.leaks.split(", ") if kind})
    if not kinds:
        return ""
    return f"† beside a token and those before it, routing depends on: {', '.join(kinds)}"
