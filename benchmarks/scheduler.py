"""What it costs to run jobs that do nothing: everything but the work.

Prints the seconds of many such jobs on workers that are warm, the driver's own share of it, and the
time from the end of a run to the start of the next one on the worker that has become free. Run:
`python -m benchmarks.scheduler`, with nothing else running.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.command import one_line, parser, whole_number
from benchmarks.timing import save
from moebench.evidence.record import RunRecord
from moebench.run.engines.local import Local
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import JobList
from moebench.run.machine import default_workers
from moebench.run.scheduler import Scheduler

NOOP = Function("benchmarks.noop:noop")
FEWEST = 3  # jobs more than workers: two gaps at least, for quantiles


class Cost(NamedTuple):
    """What the jobs took."""

    seconds: float  # by the clock
    driver: float  # of processor time, of the driver alone
    gaps: Sequence[float]  # seconds from the end of a run to the start of the next on its worker


def jobs_of(count: int, folder: Path) -> list[Job]:
    """Return jobs that do nothing."""
    arms = [f"job_{number}" for number in range(count)]
    return [Job("benchmarks", "full", arm, 0, NOOP, folder / arm / "seed_0") for arm in arms]


def cost_of(count: int, workers: int, folder: Path) -> Cost:
    """Run jobs after some others, whose start the workers' server has to wait for; return the cost.

    Raises:
        RuntimeError: if not all of them finish.
    """
    records: list[RunRecord] = []
    jobs = jobs_of(count, folder / "timed")
    with Local(workers) as engine:
        warm = JobList(jobs_of(workers, folder / "warm"))
        Scheduler(engine, [warm], lambda *_: None).run()
        started, used = time.perf_counter(), time.process_time()
        Scheduler(engine, [JobList(jobs)], lambda _, new, left: records.extend(new)).run()
        seconds, driver = time.perf_counter() - started, time.process_time() - used
    if [record.status for record in records] != ["finished"] * count:
        raise RuntimeError("not every job has finished")
    begun = sorted(record.metrics["began"] for record in records)
    ended = sorted(job.record_path.stat().st_mtime for job in jobs)
    # The first end frees the worker for the first job that was not among the first, and so on.
    return Cost(seconds, driver, [b - e for e, b in zip(ended, begun[workers:], strict=False)])


@one_line
def main() -> None:
    """Run, print, and append to results.jsonl."""
    command = parser("benchmarks.scheduler", __doc__)
    command.add_argument("--jobs", type=whole_number(), default=1000)
    command.add_argument("--workers", type=whole_number(), default=default_workers())
    command.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = command.parse_args()
    if options.jobs < options.workers + FEWEST:
        least = options.workers + FEWEST
        command.error(f"--jobs {options.jobs}: must be {least} or more with this many workers")
    with tempfile.TemporaryDirectory() as folder:
        cost = cost_of(options.jobs, options.workers, Path(folder))
    gap, ninth = median(cost.gaps), quantiles(cost.gaps, n=10)[-1]
    own = cost.driver / options.jobs
    print(f"{options.jobs} jobs that do nothing, {options.workers} workers: {cost.seconds:.1f} s")
    print(f"processor time of the driver: {1000 * own:.1f} ms a job")
    print(f"from the end of a run to the start of the next: {gap:.3f} s, nine in ten {ninth:.3f} s")
    if options.save:
        row = {"seconds": cost.seconds, "driver": own, "gap": gap, "gap/ninth": ninth}
        save("scheduler", vars(options), {"noop": row})


if __name__ == "__main__":
    main()
