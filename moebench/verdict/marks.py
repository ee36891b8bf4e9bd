"""The mark for runs whose routing saw tokens that a causal model must not see, and its footnote."""

from collections.abc import Iterable

from moebench.evidence.record import RunRecord

MARK = "†"


def leaks_of(records: Iterable[RunRecord]) -> str:
    """Return everything that runs leak, such as "later tokens, other sequences", or ""."""
    return ", ".join(_kinds(record.leaks for record in records))


def marked(name: str, *leaks: str) -> str:
    """Return the name of an arm, a trial or a claim, marked if anything leaks there."""
    return name + (MARK if any(leaks) else "")


def footnote(leaks: Iterable[str]) -> str:
    """Return what the mark means, with everything that leaks; empty if nothing does."""
    kinds = ", ".join(_kinds(leaks))
    meaning = "causal, but its routing depends on more than the tokens so far"
    return kinds and f"{MARK} {meaning}: {kinds}"


def _kinds(leaks: Iterable[str]) -> list[str]:
    """Return each kind of leak once."""
    return sorted({kind for listed in leaks for kind in listed.split(", ") if kind})
