"""One run from start, or from its last checkpoint, to its record."""

import fcntl
import importlib
import json
import statistics
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from moebench import cost
from moebench.records import RunRecord, read_history, write, write_whole
from moebench.run.callbacks import (
    Diverged,
    LogValidation,
    RandomState,
    StepClock,
    StopOnDivergence,
    StopWithParent,
)
from moebench.run.history import History
from moebench.run.job import Job
from moebench.run.machine import commit, hardware, peak_memory_bytes, versions
from moebench.training import Training

LATE = 0.8  # routing metrics of the record are means over the training after this share of it


@dataclass
class Objects:
    """What a run was made with; missing where it could not even be built."""

    model: Training
    data: Any  # a LightningDataModule that knows `tokens_per_batch` and `content_hash`
    trainer: pl.Trainer


def main(job: Job, threads: int) -> None:
    """Run in a process of its own.

    The lock waits for an orphan of a killed parent, which ends itself at its next step.
    """
    torch.set_num_threads(threads)
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        execute(job, [StopWithParent()])


def execute(job: Job, callbacks: list[pl.Callback]) -> RunRecord:
    """Train, judge nothing, write the record; a failure is a record too.

    Args:
        job: what to run.
        callbacks: further callbacks of the trainer.
    """
    _start_clean(job)
    clock = StepClock()
    objects, status = None, "finished"
    try:
        objects = _build(job, clock, [clock, *callbacks])
        resume = job.checkpoint_path if job.checkpoint_path.exists() else None
        objects.trainer.fit(objects.model, objects.data, ckpt_path=resume, weights_only=True)
    except Diverged:
        status = "diverged"
    except Exception as error:
        status = "out_of_memory" if _out_of_memory(error) else "failed"
        write_whole(job.folder / "error.txt", traceback.format_exc())
    record = record_of(job, status, clock.seconds, objects)
    write(record, job.record_path)
    if not job.keep_weights:
        job.checkpoint_path.unlink(missing_ok=True)
    return record


def _start_clean(job: Job) -> None:
    """Make the folder; what another configuration left in it is removed."""
    job.folder.mkdir(parents=True, exist_ok=True)
    path = job.folder / "config.json"
    config = json.dumps(dict(job.experiment.config), indent=1)
    if not path.exists() or path.read_text() != config:
        for old in (job.history_path, job.checkpoint_path, job.record_path):
            old.unlink(missing_ok=True)
        write_whole(job.folder / "config.yaml", job.experiment.to_yaml())
        write_whole(path, config)
    job.record_path.unlink(missing_ok=True)  # of an attempt that failed


def _build(job: Job, clock: StepClock, callbacks: list[pl.Callback]) -> Objects:
    """Make the objects of the run, with its logger and its checkpoints."""
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    checkpoints = ModelCheckpoint(
        dirpath=job.folder,
        filename="last",
        enable_version_counter=False,
        save_on_train_epoch_end=False,  # after each validation, so none is lost or repeated
    )
    trained = 0
    if job.checkpoint_path.exists():
        trained = torch.load(job.checkpoint_path, weights_only=True)["global_step"]
    model, data, trainer = job.experiment.build(
        default_root_dir=str(job.folder),
        logger=[History(job.history_path, trained)],
        callbacks=[
            *callbacks,
            LogValidation(clock),
            RandomState(),
            StopOnDivergence(),
            checkpoints,
        ],
    )
    return Objects(model, data, trainer)


def _out_of_memory(error: Exception) -> bool:
    """Tell an exhausted memory from other errors; the CPU allocator has no class of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def record_of(
    job: Job, status: str, seconds: float = 0.0, objects: Objects | None = None
) -> RunRecord:
    """Write down what the run was and what came out.

    The cost is counted on the trained model, where the router drops as much as it does; a model
    that broke or found no memory is not asked again.
    """
    history = read_history(job.history_path)
    size, steps, tokens, data_hash = cost.Cost(0, 0, 0.0), 0, 0, ""
    if objects is not None:
        if status in ("finished", "diverged"):
            model = objects.model.cpu().eval()
            size = cost.count_batch(model.network, next(iter(objects.data.val_dataloader())))
        steps = objects.trainer.global_step
        tokens, data_hash = steps * objects.data.tokens_per_batch, objects.data.content_hash
    return RunRecord(
        target=job.target,
        profile=job.profile,
        arm=job.arm,
        seed=job.seed,
        status=status,
        config_hash=job.experiment.hash,
        commit=commit(),
        versions=versions(),
        hardware=hardware(),
        data_hash=data_hash,
        steps=steps,
        tokens=tokens,
        params_total=size.params_total,
        params_active=size.params_active,
        flops_per_token=size.flops_per_token,
        seconds=seconds,
        tokens_per_second=tokens / steps / pace(history, seconds / steps) if steps else 0.0,
        peak_memory_bytes=peak_memory_bytes(),
        metrics=summary(history, steps),
    )


def pace(history: list[dict[str, Any]], mean: float) -> float:
    """Return the median seconds of a step over the stretches between validations, else the mean.

    A neighbour that keeps the machine busy for a while does not move it, as it would the mean.
    """
    stretches: list[float] = [line["seconds/step"] for line in history if "seconds/step" in line]
    return statistics.median(stretches) if stretches else mean


def summary(history: list[dict[str, Any]], steps: int) -> dict[str, float]:
    """Return the metrics of the record: last validation, its curve, late routing means."""
    metrics: dict[str, float] = {}
    for line in history:
        if "valid/loss" in line:
            metrics["valid/loss"] = metrics[f"valid/loss@{line['step']}"] = line["valid/loss"]
    trained = [line for line in history if "train/loss" in line]
    late = [line for line in trained if line["step"] + 1 > LATE * steps]
    names = {name for line in late for name in line if name.startswith(("route/", "train/"))}
    for name in sorted(names):
        values = [line[name] for line in late if name in line]
        metrics[name] = sum(values) / len(values)
    return metrics


def computed_record(target: str, profile: str, arm: str, reference: str) -> RunRecord:
    """Return the record of an arithmetic claim: a function's numbers, no training.

    Args:
        target: folder of the reproduction.
        profile: name of the profile.
        arm: name of the arm.
        reference: "module:function"; the function returns a map of metrics.
    """
    module, _, function = reference.partition(":")
    metrics: dict[str, float] = getattr(importlib.import_module(module), function)()
    return RunRecord(
        target=target,
        profile=profile,
        arm=arm,
        seed=0,
        status="finished",
        config_hash=reference,
        commit=commit(),
        versions=versions(),
        hardware=hardware(),
        metrics=metrics,
    )
