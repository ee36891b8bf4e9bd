"""A run that trains several seeds side by side: what its model says of them, and their records.

Where starting a run costs more than the training, one run may train many small models. Its model is
then a LightningModule with the one method of `SeveralSeeds`. The first seed is the run's own, the
others follow it, and what becomes of a seed must not depend on which others are trained beside it:
judges take its record for that of a run of its own. How many seeds there are is an argument of the
model; `Plan.seeds_in_a_run` says which, so that a person can ask for another number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol, runtime_checkable

from moebench.evidence.record import RunRecord


@dataclass(frozen=True)
class Outcome:
    """What one seed came to."""

    seed: int
    status: str  # one of records.STATUSES
    steps: int  # updates of its weights
    metrics: Mapping[str, float]


@runtime_checkable
class SeveralSeeds(Protocol):
    """What a model that trains several seeds can do beside training."""

    def outcomes(self) -> Sequence[Outcome]:
        """Return what became of each seed; asked once, after training."""
        ...


def single(record: RunRecord, outcomes: Sequence[Outcome], tokens: int) -> list[RunRecord]:
    """Return a record a seed; they share the time of the run evenly.

    Args:
        record: of the whole run.
        outcomes: of its seeds.
        tokens: of one update.
    """
    seconds = record.seconds / len(outcomes)
    return [
        replace(
            record,
            seed=outcome.seed,
            status=outcome.status,
            steps=outcome.steps,
            tokens=outcome.steps * tokens,
            seconds=seconds,
            tokens_per_second=outcome.steps * tokens / seconds if seconds else 0.0,
            metrics=outcome.metrics,
        )
        for outcome in outcomes
    ]


def together(record: RunRecord, singles: Sequence[RunRecord]) -> RunRecord:
    """Return the record of the whole run: sums of the work, means of the metrics.

    It finished if any of its seeds did.
    """
    statuses = {one.status for one in singles}
    names = sorted({name for one in singles for name in one.metrics})
    tokens = sum(one.tokens for one in singles)
    return replace(
        record,
        status="finished" if "finished" in statuses else min(statuses),
        steps=sum(one.steps for one in singles),
        tokens=tokens,
        tokens_per_second=tokens / record.seconds if record.seconds else 0.0,
        metrics={
            name: fmean(one.metrics[name] for one in singles if name in one.metrics)
            for name in names
        },
    )
