"""What is kept of a run: a clean folder before it, a record after it."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl

from moebench.evidence.load_curve import load_points
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_history, write, write_whole
from moebench.experiment.precision import training_autocast
from moebench.experiment.stamp import NO_DATA
from moebench.run.job import Job
from moebench.run.machine import commit, hardware, peak_memory_bytes, precision, versions
from moebench.run.place import settle
from moebench.run.work_done import Work
from moebench.training import cost
from moebench.training.leaks import in_words, leaks
from moebench.training.share import share

# Means are taken over the training that follows these shares of it. The first is for all metrics;
# the second is for what the literature calls the loads at the end.
LATE, LAST = 0.8, 0.9
TENTH = "last_tenth"  # before the names of means over the second


@dataclass
class Objects:
    """The objects of a run; there are none if it could not be built."""

    model: Any  # a LightningModule
    data: Any  # a LightningDataModule, see `moebench.data.contract`
    trainer: pl.Trainer
    work: Work


def start_clean(job: Job) -> Job:
    """Prepare the folder; a run with different data, code or configuration is moved aside.

    Returns:
        The job with its data known.
    """
    job = job.prepared()
    settle(job)
    if not (job.folder / "config.json").exists():
        write_whole(job.folder / "config.yaml", job.experiment.to_yaml())
        config = json.dumps(dict(job.experiment.config), indent=1)
        write_whole(job.folder / "config.json", config)
        job.prune_path.unlink(missing_ok=True)
    job.record_path.unlink(missing_ok=True)  # of a failed attempt
    return job


def record_of(
    job: Job, status: str, objects: Objects | None = None, seconds: float = 0.0
) -> RunRecord:
    """Return the record of a run.

    The cost is counted on the trained model in training mode, so that its router asks for and drops
    as many rows as in training. A model that ran out of memory is not run again; one that diverged
    is run in evaluation mode, as its router may be unable to sample. `seconds` is the time of a run
    that trains nothing.
    """
    history = read_history(job.history_path)
    size, steps, tokens, leaked = cost.Cost(0, 0, 0.0), 0, 0, ""
    data = job.experiment.known_data or NO_DATA
    if objects is not None:
        if status in ("finished", "diverged", "pruned"):
            model = objects.model.train(status != "diverged")
            batch = next(iter(objects.data.train_dataloader()))
            size = cost_of(model, batch, objects.trainer)
            leaked = in_words(leaks(model, batch).values())
        steps, seconds = objects.trainer.global_step, objects.work.seconds
        tokens = objects.work.tokens(objects.data.tokens_per_batch)
    return RunRecord(
        target=job.target,
        profile=job.profile,
        arm=job.arm,
        seed=job.seed,
        status=status,
        config_hash=job.experiment.hash,
        **_made_with(job, objects),
        data_hash=data.content_hash,
        data_version=data.version,
        code=job.experiment.code,
        steps=steps,
        tokens=tokens,
        params_total=size.params_total,
        params_active=size.params_active,
        flops_per_token=size.flops_per_token,
        seconds=seconds,
        tokens_per_second=tokens / steps / pace(history, seconds / steps) if steps else 0.0,
        peak_memory_bytes=peak_memory_bytes(),
        planned=job.planned,
        leaks=leaked,
        claims=job.claims,
        metrics={**summary(history, steps), **getattr(objects and objects.data, "metrics", {})},
        config=job.experiment.config,
    )


def record_for(job: Job, status: str, why: str) -> RunRecord:
    """Write and return the record of a run whose worker could not: it was lost, or ended."""
    if job.record_path.exists() and job.record() is None:
        settle(job.unprepared())  # of a different run, which this one had no time to move aside
    job.folder.mkdir(parents=True, exist_ok=True)  # lost as it began, it has none
    record = record_of(job, status)
    write(record, job.record_path)
    write_whole(job.folder / "error.txt", f"{why}\n")
    return record


def _made_with(job: Job, objects: Objects | None) -> dict[str, Any]:
    """Return the fields of a record about the machine and the code that a run was made with."""
    several = {"devices": job.devices} if job.devices > 1 else {}
    return {
        "commit": commit(),
        "versions": versions(),
        "hardware": {**hardware(), **several},
        "source": job.experiment.source,
        "precision": "" if objects is None else precision(objects.trainer, objects.model),
    }


def cost_of(model: pl.LightningModule, batch: Any, trainer: pl.Trainer) -> cost.Cost:
    """Return the cost that the model reports; if it reports none, its parameters are counted.

    Args:
        model: is moved to the device and left there.
        batch: to count on; of several devices, each has its share.
        trainer: on whose device it is called, for a large model takes long elsewhere.
    """
    says: Callable[[Any], cost.Cost] | None = getattr(model, "cost", None)
    if says is None:
        return cost.Cost(cost.parameters(model), cost.parameters(model), 0.0)
    device = trainer.strategy.root_device
    model.to(device)
    if trainer.world_size > 1:
        batch = share(batch, 0, trainer.world_size)
    with training_autocast(trainer):
        return says(model.transfer_batch_to_device(batch, device, 0))


def pace(history: list[dict[str, Any]], mean: float) -> float:
    """Return the median seconds per step over the stretches between validations, else the mean.

    Another program that keeps the machine busy for a while shifts the mean, not the median.
    """
    stretches: list[float] = [line["seconds/step"] for line in history if "seconds/step" in line]
    return statistics.median(stretches) if stretches else mean


def summary(history: list[dict[str, Any]], steps: int) -> dict[str, float]:
    """Return the metrics of the record: last validation, its curve, routing late and at the end.

    `route/<name>` and `train/<name>` are means over the last fifth of the training,
    `last_tenth/route/<name>` are means over the last tenth; `load_points` says what is kept of
    the load on the way.
    """
    metrics: dict[str, float] = {}
    for line in history:
        if "valid/loss" in line:
            metrics["valid/loss"] = metrics[f"valid/loss@{line['step']}"] = line["valid/loss"]
        metrics |= {name: line[name] for name in line if name.startswith("analysis/")}
    trained = [line for line in history if "train/loss" in line]
    metrics |= load_points(trained, steps)
    metrics |= _means(trained, LATE * steps, ("route/", "train/"))
    last = _means(trained, LAST * steps, ("route/",))
    return metrics | {f"{TENTH}/{name}": value for name, value in last.items()}


def _means(
    trained: list[dict[str, Any]], after: float, prefixes: tuple[str, ...]
) -> dict[str, float]:
    """Return the means of metrics over the lines of history after so many steps."""
    late = [line for line in trained if line["step"] + 1 > after]
    names = {name for line in late for name in line if name.startswith(prefixes)}
    values = {name: [line[name] for line in late if name in line] for name in sorted(names)}
    return {name: sum(found) / len(found) for name, found in values.items()}
