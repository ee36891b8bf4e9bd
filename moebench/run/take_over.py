"""Runs that have been made elsewhere: their records take the place of training them again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write
from moebench.run.job import Job
from moebench.run.place import found, held
from moebench.run.recording import start_clean


def take_over(jobs: Sequence[Job], records: Iterable[RunRecord]) -> int:
    """Leave records where their runs would have left them; return of how many runs that was.

    A record counts for the run of its paper, profile, arm and seed that has its identity, and only
    if that run is still to do.

    Args:
        jobs: runs that are wanted, of one seed each.
        records: of any runs.
    """
    ended = defaultdict(list)
    for record in records:
        if record.status != "failed":
            ended[record.target, record.profile, record.arm, record.seed].append(record)
    taken = 0
    for job in jobs:
        offered = ended.get((job.target, job.profile, job.arm, job.seed), ())
        same = [record for record in offered if not job.differs(record)]
        if same and found(job) is None:
            with held(job):
                write(same[0], start_clean(job).record_path)
                job.checkpoint_path.unlink(missing_ok=True)
            taken += 1
    return taken
