"""Runs that have been made elsewhere: their records take the place of training them again."""

from collections import Counter
from collections.abc import Iterable, Sequence

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.run.job import Job
from moebench.run.place import found, held
from moebench.run.recording import start_clean

TAKEN = "taken over"
RESULTS = ("finished", "diverged")  # any other end may be the machine's


def take_over(jobs: Sequence[Job], records: Iterable[RunRecord]) -> Counter[str]:
    """Leave records where their runs would have left them; say what became of each.

    A record counts for the run of its paper, profile, arm and seed that has its identity, and only
    if that run is still to do.

    Args:
        jobs: runs that are wanted, of one seed each.
        records: of any runs.

    Returns:
        What became of records, such as `taken over`, -> how many.
    """
    wanted = {(job.target, job.profile, job.arm, job.seed): job for job in jobs if _of_one(job)}
    told: Counter[str] = Counter()
    for record in records:
        job = wanted.get((record.target, record.profile, record.arm, record.seed))
        if job is None or record.status not in RESULTS:
            told["not asked for"] += 1
        elif differs := job.differs(record):
            told[f"with different {', '.join(differs)}"] += 1
        else:
            told[TAKEN if _left(job, record) else "here already"] += 1
    return told


def _of_one(job: Job) -> bool:
    """Say whether a run trains one seed; a module of a person's own may train several."""
    return "class_path" not in job.experiment.config.get("model", {})


def _left(job: Job, record: RunRecord) -> bool:
    """Leave a record as the run of a job would have, unless the job has a result."""
    if found(job) is not None:
        return False
    with held(job):
        if job.result() is not None:  # of an orphan that has just ended
            return False
        start_clean(job)
        for path in (job.checkpoint_path, job.history_path):  # of a run half done
            path.unlink(missing_ok=True)
        write(record, job.record_path)
    return True
