"""One run in MLflow: its parameters, its history as far as it is sent, its end."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moebench.records import RunRecord, read_history

BATCH = 1000  # metrics in a request, MLflow's limit
LONGEST = 6000  # characters of a parameter's value, MLflow's limit
STATUS = {"finished": "FINISHED", "pruned": "KILLED"}  # all others: FAILED
SERIES = ("train/loss", "valid/loss")  # every line of a history has one of these
COSTS = (
    "params_total",
    "params_active",
    "flops_per_token",
    "seconds",
    "tokens_per_second",
    "peak_memory_bytes",
)


@dataclass
class Child:
    """A run in MLflow and how much of its history it has."""

    run_id: str
    sent: dict[str, int] = field(default_factory=dict)  # series -> last step
    ended: bool = False


def log_parameters(client: Any, run_id: str, config: Mapping[str, Any]) -> None:
    """Log the resolved configuration, once."""
    from mlflow.entities import Param

    flat = list(flatten(config))
    for start in range(0, len(flat), 100):  # parameters in a request, MLflow's limit
        parameters = [Param(key[:250], value) for key, value in flat[start : start + 100]]
        client.log_batch(run_id, params=parameters)


def send_history(client: Any, child: Child, path: Path) -> None:
    """Send the lines that the run does not have yet, in batches."""
    from mlflow.entities import Metric

    metrics = []
    for line in read_history(path):
        series = next(name for name in SERIES if name in line)
        if line["step"] > child.sent[series]:
            stamp = round(line["time"] * 1000)
            names = [name for name in line if "/" in name and not name.startswith("load/")]
            metrics += [Metric(name, line[name], stamp, line["step"]) for name in names]
            child.sent[series] = line["step"]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(child.run_id, metrics=metrics[start : start + BATCH])


def end(client: Any, child: Child, record: RunRecord) -> None:
    """Add what is known at the end and set the status."""
    from mlflow.entities import Dataset, DatasetInput, Metric, RunTag

    stamp = round(time.time() * 1000)
    values = {f"cost/{name}": float(getattr(record, name)) for name in COSTS}
    # MLflow allows no "@" in a name; the points of the curve are there already.
    values |= {f"final/{n}": v for n, v in record.metrics.items() if "@" not in n}
    values["diverged"] = float(record.status == "diverged")
    metrics = [Metric(name, value, stamp, record.steps) for name, value in values.items()]
    tags = {"moebench.state": record.status, "commit": record.commit}
    tags |= {f"version.{name}": version for name, version in record.versions.items()}
    client.log_batch(child.run_id, metrics=metrics, tags=[RunTag(k, v) for k, v in tags.items()])
    if record.data_hash:
        source = json.dumps({"sha256": record.data_hash})
        dataset = Dataset("text", record.data_hash[:36], "moebench", source)
        client.log_inputs(child.run_id, [DatasetInput(dataset)])
    client.set_terminated(child.run_id, STATUS.get(record.status, "FAILED"))
    child.ended = True


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys and values of a nested configuration, values cut at MLflow's limit."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)[:LONGEST]
