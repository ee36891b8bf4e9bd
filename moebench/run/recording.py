"""What is written down about a run: a clean folder before it, a record after it."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl

from moebench import cost
from moebench.experiment.precision import where_it_trains
from moebench.experiment.stamp import NO_DATA
from moebench.leaks import in_words, leaks
from moebench.records import RunRecord, read_history, write_whole
from moebench.run.job import Job
from moebench.run.machine import commit, hardware, peak_memory_bytes, precision, versions
from moebench.run.place import settle
from moebench.run.work import Work

# Means are taken over what comes after these shares of the training. The first is that of every
# record; the second is what the literature means by the loads at the end.
LATE, LAST = 0.8, 0.9
TENTH = "last_tenth"  # before the names of means over the second


@dataclass
class Objects:
    """What a run was made with; missing where it could not even be built."""

    model: Any  # a LightningModule
    data: Any  # a LightningDataModule that knows `tokens_per_batch` and `content_hash`
    trainer: pl.Trainer
    work: Work


def start_clean(job: Job) -> Job:
    """Make the folder; a run of other data, code or configuration that lies there moves aside.

    Returns:
        The job, which knows its data from now on.
    """
    job = job.prepared()
    settle(job)
    if not (job.folder / "config.json").exists():
        write_whole(job.folder / "config.yaml", job.experiment.to_yaml())
        config = json.dumps(dict(job.experiment.config), indent=1)
        write_whole(job.folder / "config.json", config)
        job.prune_path.unlink(missing_ok=True)
    job.record_path.unlink(missing_ok=True)  # of an attempt that failed
    return job


def record_of(
    job: Job, status: str, objects: Objects | None = None, seconds: float = 0.0
) -> RunRecord:
    """Write down what the run was and what came out.

    The cost is counted on the trained model as it trained, where the router asks for as many rows
    and drops as many as it does there; a model that found no memory is not asked again, and one
    that diverged may have no numbers to draw by. What it was trained on comes from one count;
    `seconds` are those of a run that trains nothing.
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
        metrics={**summary(history, steps), **getattr(objects and objects.data, "metrics", {})},
        config=job.experiment.config,
    )


def _made_with(job: Job, objects: Objects | None) -> dict[str, Any]:
    """Return the fields of a record that say what machine and whose code a run was made with."""
    return {
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
        "source": job.experiment.source,
        "precision": "" if objects is None else precision(objects.trainer, objects.model),
    }


def cost_of(model: pl.LightningModule, batch: Any, trainer: pl.Trainer) -> cost.Cost:
    """Return what the model says it costs; one that says nothing has its parameters counted.

    Args:
        model: is moved to the device and left there.
        batch: to count on.
        trainer: on whose device it is called, for a large model takes long elsewhere.
    """
    says: Callable[[Any], cost.Cost] | None = getattr(model, "cost", None)
    if says is None:
        return cost.Cost(cost.parameters(model), cost.parameters(model), 0.0)
    device = trainer.strategy.root_device
    model.to(device)
    with where_it_trains(trainer):
        return says(model.transfer_batch_to_device(batch, device, 0))


def pace(history: list[dict[str, Any]], mean: float) -> float:
    """Return the median seconds of a step over the stretches between validations, else the mean.

    A neighbour that keeps the machine busy for a while does not move it, as it would the mean.
    """
    stretches: list[float] = [line["seconds/step"] for line in history if "seconds/step" in line]
    return statistics.median(stretches) if stretches else mean


def summary(history: list[dict[str, Any]], steps: int) -> dict[str, float]:
    """Return the metrics of the record: last validation, its curve, routing late and at the end.

    `route/<name>` and `train/<name>` are means over the last fifth of the training,
    `last_tenth/route/<name>` are means over the last tenth.
    """
    metrics: dict[str, float] = {}
    for line in history:
        if "valid/loss" in line:
            metrics["valid/loss"] = metrics[f"valid/loss@{line['step']}"] = line["valid/loss"]
        metrics |= {name: line[name] for name in line if name.startswith("analysis/")}
    trained = [line for line in history if "train/loss" in line]
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
