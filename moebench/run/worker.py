"""One run from start, or from its last checkpoint, to its record."""

import logging
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytorch_lightning as pl
import torch

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import is_full, write, write_all, write_whole
from moebench.evidence.replicas import TrainsReplicas, combine, split
from moebench.experiment import Experiment, user_part_error
from moebench.moe.devices import device_count
from moebench.papers.home import join_papers
from moebench.run.allocator import keep_freed_memory
from moebench.run.callbacks import (
    Diverged,
    LogValidation,
    Pruned,
    RandomState,
    StopOnDivergence,
    StopWhenPruned,
    StopWithParent,
    ValidateLast,
)
from moebench.run.function import Function
from moebench.run.history import History
from moebench.run.job import Job
from moebench.run.messages import write_messages
from moebench.run.place import held
from moebench.run.ranks import Ranks, outlive
from moebench.run.recording import Objects, record_of, start_clean
from moebench.run.resumable import Kept, Resumable, kept
from moebench.run.same import SameData, refuse_other_code
from moebench.run.saving import Saving
from moebench.run.work_done import Work

log = logging.getLogger(__name__)
DISK_FULL = 74  # exit code of a worker that found no room for what it had to write


def main(job: Job, threads: int) -> None:
    """Run in a process of its own that has run nothing yet."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    join_papers()  # this process has a path of its own by now
    torch.set_num_threads(threads)
    keep_freed_memory()
    logging.raiseExceptions = False  # a message that finds no room is lost without another
    with exit_code_of_full_disk(), Ranks(job.devices, _follow) as ranks, held(job):
        write_messages(job)
        execute(job, [StopWithParent(), StopWhenPruned(job.prune_path)], ranks)


@contextmanager
def exit_code_of_full_disk() -> Iterator[None]:
    """End the process with it when the disk is full: the parent tells it once, of all workers."""
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        sys.exit(DISK_FULL)


def execute(job: Job, callbacks: list[pl.Callback], ranks: Ranks | None = None) -> RunRecord:
    """Train and write the record; a failure is recorded, too.

    Args:
        job: what to run.
        callbacks: further callbacks of the trainer.
        ranks: the processes of a run on several devices.
    """
    if isinstance(job.experiment, Function):
        return _call(job, job.experiment)
    job = start_clean(job)
    found = kept(job.checkpoint_path)
    if ranks is not None:
        ranks.tell((job, found))
    status, objects = _trained(job, found, callbacks)
    if ranks is not None:
        ranks.end()
    record = record_of(job, status, objects)
    if status == "finished" and objects is not None and isinstance(objects.model, TrainsReplicas):
        tokens = objects.data.tokens_per_batch * objects.trainer.accumulate_grad_batches
        seeds = split(record, objects.model.replica_results(), tokens)
        write_all(seeds, job.records_path)
        record = combine(record, seeds)
    write(record, job.record_path)
    if not job.keep_weights:
        job.checkpoint_path.unlink(missing_ok=True)
    return record


def _follow(rank: int, told: tuple[Job, Kept]) -> None:
    """Train as another process than the first; record only what ended this one alone."""
    job, found = told
    write_messages(job, rank)
    with exit_code_of_full_disk():
        status, objects = _trained(job, found, [], rank)
        if status != "finished":
            outlive(rank)
            write(record_of(job, status, objects), job.record_path)
            sys.exit(1)


def _trained(
    job: Job, found: Kept, callbacks: list[pl.Callback], rank: int = 0
) -> tuple[str, Objects | None]:
    """Train; return how that ended, and with which objects, if they could be built."""
    objects = None
    try:
        refuse_other_code(job.experiment)
        objects = _build(job, found.written, callbacks, rank)
        resume = job.checkpoint_path if found.steps else None
        objects.trainer.fit(objects.model, objects.data, ckpt_path=resume, weights_only=True)
    except Diverged:
        return "diverged", objects
    except Pruned:
        return "pruned", objects
    except Exception as error:
        if is_full(error):
            raise  # it is no result of the run
        outlive(rank)
        status = _ending(error, objects)
        _report(job, status, error)
        return status, objects
    return "finished", objects


def _call(job: Job, function: Function) -> RunRecord:
    """Call the function of a job and write its records; a failure is recorded, too."""
    job = start_clean(job)
    started = time.perf_counter()
    try:
        refuse_other_code(function)
        found = function()
    except Exception as error:
        if is_full(error):
            raise
        _report(job, "failed", error)
        record = record_of(job, "failed")
    else:
        record = record_of(job, "finished", seconds=time.perf_counter() - started)
        seeds = [replace(record, seed=seed, metrics=metrics) for seed, metrics in found.items()]
        write_all(seeds, job.records_path)
        [record] = seeds if len(seeds) == 1 else [combine(record, seeds)]
    write(record, job.record_path)
    return record


def _build(job: Job, written: int, callbacks: list[pl.Callback], rank: int) -> Objects:
    """Build the objects of a run that resumes with this many bytes of history.

    The first process alone writes one.

    Raises:
        ValueError: for a run on several devices whose processes have not been started.
    """
    if job.devices != device_count():
        raise ValueError(f"trainer.devices={job.devices}: such a run is started by an engine")
    experiment = job.experiment
    assert isinstance(experiment, Experiment)
    warnings.filterwarnings("ignore", module="lightning_fabric|pytorch_lightning")
    work = Work()
    model, data, trainer = experiment.build(
        default_root_dir=str(job.folder),
        logger=False if rank else [History(job.history_path, written)],
        use_distributed_sampler=False,  # all are given the same batches
        callbacks=[
            work,
            *callbacks,
            SameData(experiment),
            LogValidation(work),
            Resumable(job.history_path),
            RandomState(),
            StopOnDivergence(),
            ValidateLast(),
            Saving(job.checkpoint_path, job.seconds_unsaved),
        ],
    )
    # Lightning restores the weights before it casts the model: doubles would lose half their bits.
    trainer.precision_plugin.convert_module(model)
    return Objects(model, data, trainer, work)


def _report(job: Job, status: str, error: Exception) -> None:
    """Write where an error came from, and say in one line what it is."""
    write_whole(job.folder / "error.txt", "".join(traceback.format_exception(error)))
    what = user_part_error(error, job.experiment.config) or f"{type(error).__name__}: {error}"
    log.error("%s: %s (see error.txt in the folder of the run)", status, " ".join(what.split()))


def _ending(error: Exception, objects: Objects | None) -> str:
    """Return the status of a run that an error ended.

    Weights that have become NaN may raise one before any loss shows it: a router that samples
    refuses such probabilities.
    """
    if _out_of_memory(error) or _out_of_memory(error.__cause__):  # as told of a part that asked
        return "out_of_memory"
    weights = objects.model.parameters() if objects is not None else ()
    return "failed" if all(bool(weight.isfinite().all()) for weight in weights) else "diverged"


def _out_of_memory(error: BaseException | None) -> bool:
    """Say whether memory ran out; the CPU allocator has no exception class of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
