"""Records for jobs that were never run, as their workers would have left them."""

from typing import Any

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.run.job import Job
from moebench.run.machine import versions
from moebench.testing.verdicts import run


def record_of(job: Job, status: str = "finished", loss: float = 3.0, **changes: Any) -> RunRecord:
    """Return the record of a job; see `moebench.testing.verdicts.run`.

    Args:
        job: the job.
        status: how it ended.
        loss: the last validation loss.
        **changes: other fields of the record; `metrics` are added to the loss.
    """
    named = {"target": job.target, "profile": job.profile, "status": status}
    hashes = {"config_hash": job.experiment.hash, "data_hash": job.experiment.data.content_hash}
    fields = {**named, **hashes, "versions": versions(), **changes}
    return run(job.arm, job.seed, loss, **fields)


def leave(job: Job, status: str = "finished", loss: float = 3.0, **changes: Any) -> RunRecord:
    """Write the record of a job into its folder and return it, like `record_of`."""
    record = record_of(job, status, loss, **changes)
    job.folder.mkdir(parents=True, exist_ok=True)
    write(record, job.record_path)
    return record
