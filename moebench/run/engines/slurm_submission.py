"""How jobs get into the queue of Slurm, and the files that submitit writes for that."""

import contextlib
import io
import pickle
import shutil
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from submitit import SlurmExecutor
from submitit.core.core import Job as Submitted
from submitit.core.utils import FailedJobError

from moebench.evidence.record_files import write_whole
from moebench.run.engines.engine_options import SlurmOptions
from moebench.run.engines.slurm_node import Allocated, Ticket
from moebench.run.job import Job
from moebench.run.threads import threads_asked


class Submission:
    """Submits jobs, several as one array; its files are beside the folder of the first job.

    Args:
        options: what every run asks for.
        minutes: time limit.
    """

    def __init__(self, options: SlurmOptions, minutes: int) -> None:
        self._options = options
        self._minutes = minutes
        self._executor: SlurmExecutor | None = None

    def __call__(self, jobs: Sequence[Job]) -> "list[Submitted[int | None]]":
        """Submit jobs; return what each is in the queue.

        Raises:
            RuntimeError: in the words of sbatch, if it does not take them.
        """
        if self._executor is None:
            folder = jobs[0].folder.parent / f".slurm-{uuid.uuid4().hex[:8]}"
            self._executor = SlurmExecutor(folder, max_num_timeout=self._options.requeues)
            self._executor.update_parameters(time=self._minutes, **_parameters(self._options))
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # it prints what sbatch says
                submitted = self._executor.submit_array([_ticketed(job) for job in jobs])
        except FailedJobError as error:
            told = [line.partition("error: ")[2] or line for line in str(error).splitlines()]
            raise RuntimeError(f"sbatch: {'; '.join(told)}") from error
        return list(submitted)

    def files(self) -> list[Path]:
        """Return the files that there are now."""
        return list(self._executor.folder.iterdir()) if self._executor else []

    def remove(self) -> None:
        """Remove the files."""
        if self._executor:
            shutil.rmtree(self._executor.folder, ignore_errors=True)


def ticket_path(job: Job) -> Path:
    """Return the file that names the submission by which a job may run."""
    return job.folder.with_name(f".{job.folder.name}.slurm")


def _ticketed(job: Job) -> Allocated:
    """Return what runs in the allocation of a job, which holds its ticket from now on."""
    ticket = Ticket(ticket_path(job).absolute(), uuid.uuid4().hex)
    ticket.path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(ticket.path, ticket.number)
    return Allocated(pickle.dumps(job), ticket, threads_asked(), tuple(sys.path))


def _parameters(options: SlurmOptions) -> dict[str, object]:
    """Return the options in the words of submitit; those without a value are Slurm's to choose."""
    given: dict[str, object] = {
        name: getattr(options, name)
        for name in ("partition", "account", "qos", "constraint")
        if getattr(options, name)
    }
    if options.gpus:
        given["gres"] = f"gpu:{options.gpus}"
    if options.memory_gb:
        given["mem"] = f"{round(1024 * options.memory_gb)}M"
    return given | {
        "job_name": "moebench",
        "wckey": None,  # by default submitit has one of its own
        "cpus_per_task": options.cpus,
        "srun_args": [f"--cpus-per-task={options.cpus}"],  # it does not take that of sbatch
        "signal_delay_s": options.notice,
        "array_parallelism": options.array_parallelism,
        "additional_parameters": {
            key.replace("-", "_"): value for key, value in options.more.items()
        },
    }
