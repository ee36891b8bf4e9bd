"""Which numbers of a run its claims are judged by."""

from collections.abc import Iterator, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers import Target, targets
from moebench.papers.claim import ClaimTest
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.watched import metrics_read

ALWAYS = "valid/loss"


def deciding(found: Target, records: Sequence[RunRecord], record: RunRecord) -> set[str]:
    """Return the metrics that the tests of claims read, of those that a record has.

    Args:
        found: whose record it is.
        records: of the same profile, which the tests are tried on.
        record: the one.
    """
    names = {ALWAYS}
    for test in _tests(found, record.arm):
        names.update([test.metric, *metrics_read(test, Evidence.of(test.arms, records))])
    return names & set(record.metrics)


def _tests(found: Target, arm: str) -> Iterator[ClaimTest]:
    """Yield the tests that look at an arm of a target: of its own claims, and of other papers."""
    for one in {one.folder: one for one in (*targets(), found)}.values():
        for claim in one.claims:
            owner = claim.runs_of or one.name
            if claim.test and arm in claim.arms and owner in (found.name, found.folder):
                yield claim.test
