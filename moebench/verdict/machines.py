"""Times compare only where all of them were measured on the same kind of machine."""

from collections.abc import Iterable

from moebench.evidence.record import RunRecord

Machine = tuple[tuple[str, str | int], ...]


def machines_of(runs: Iterable[RunRecord]) -> set[Machine]:
    """Return the kinds of machine that runs were made on: processor, cores, threads, accelerator.

    Runs that do not say count as one kind.
    """
    return {tuple(sorted(run.hardware.items())) for run in runs}
