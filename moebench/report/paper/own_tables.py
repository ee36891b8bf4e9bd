"""The tables of a paper with our figures in them."""

from collections.abc import Sequence
from dataclasses import replace

from moebench.evidence.record import RunRecord
from moebench.papers import Target
from moebench.papers.computed import import_function
from moebench.papers.plan import PaperTable
from moebench.verdict.mixed_evidence import mixed_claims


def tables_of(target: Target, records: Sequence[RunRecord]) -> Sequence[PaperTable]:
    """Return the paper's tables, filled from its records; none where the plan names none.

    Mixed evidence fills none: the caption says why.
    """
    if not target.plan.tables:
        return ()
    found: Sequence[PaperTable] = import_function(target.plan.tables)(records)
    if reasons := mixed_claims(target.claims, records):
        why = f"Not shown, for the evidence is mixed: {'; '.join(reasons)}."
        return [replace(table, caption=why, rows=()) for table in found]
    return found
