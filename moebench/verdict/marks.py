"""The mark of runs whose routing saw what a causal model must not, and the footnote under it."""

from collections.abc import Iterable

from moebench.evidence.record import RunRecord

MARK = "†"


def leaks_of(records: Iterable[RunRecord]) -> str:
    """Return all that runs leak, such as "later tokens, other sequences"; empty if none leaks."""
    return ", ".join(_kinds(record.leaks for record in records))


def marked(name: str, *leaks: str) -> str:
    """Return the name of an arm, a trial or a claim, with a mark if something leaks there."""
    return name + (MARK if any(leaks) else "")


def footnote(leaks: Iterable[str]) -> str:
    """Return what the mark means, with all that leaks; empty if nothing does."""
    kinds = ", ".join(_kinds(leaks))
    meaning = "causal, but its routing depends on more than the tokens so far"
    return kinds and f"{MARK} {meaning}: {kinds}"


def _kinds(leaks: Iterable[str]) -> list[str]:
    """Return what leaks, each kind once."""
    return sorted({kind for listed in leaks for kind in listed.split(", ") if kind})
