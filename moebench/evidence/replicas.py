"""Replicas: one run that trains several seeds side by side, and the records of those seeds.

If starting a run costs more than the training, one run may train many small models. Its model is a
LightningModule with the method of `TrainsReplicas`. The first replica has the seed of the run, the
others have the seeds that follow. The result of a replica must not depend on which others are
trained beside it, because its record is judged like that of a separate run. The number of seeds
is an argument of the model; `Plan.seeds_in_a_run` names it, so that a user can change it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol, runtime_checkable

from moebench.evidence.record import RunRecord


@dataclass(frozen=True)
class ReplicaResult:
    """The result of one seed."""

    seed: int
    status: str  # one of record.STATUSES
    steps: int  # weight updates
    metrics: Mapping[str, float]


@runtime_checkable
class TrainsReplicas(Protocol):
    """A model that trains several seeds."""

    def replica_results(self) -> Sequence[ReplicaResult]:
        """Return the result of each seed; called once, after training."""
        ...


def split(record: RunRecord, results: Sequence[ReplicaResult], tokens: int) -> list[RunRecord]:
    """Return one record per seed; they share the run's time evenly.

    Args:
        record: record of the whole run.
        results: results of its seeds.
        tokens: tokens per update.
    """
    seconds = record.seconds / len(results)
    return [
        replace(
            record,
            seed=one.seed,
            status=one.status,
            steps=one.steps,
            tokens=one.steps * tokens,
            seconds=seconds,
            tokens_per_second=one.steps * tokens / seconds if seconds else 0.0,
            metrics=one.metrics,
        )
        for one in results
    ]


def combine(record: RunRecord, replicas: Sequence[RunRecord]) -> RunRecord:
    """Return the record of the whole run: total work and mean metrics of its replicas.

    It finished if any of its seeds did.
    """
    statuses = {one.status for one in replicas}
    names = sorted({name for one in replicas for name in one.metrics})
    tokens = sum(one.tokens for one in replicas)
    return replace(
        record,
        status="finished" if "finished" in statuses else min(statuses),
        steps=sum(one.steps for one in replicas),
        tokens=tokens,
        tokens_per_second=tokens / record.seconds if record.seconds else 0.0,
        metrics={
            name: fmean(one.metrics[name] for one in replicas if name in one.metrics)
            for name in names
        },
    )
