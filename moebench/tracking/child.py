"""One run of a reproduction in MLflow: taken from its files as they grow, ended by its record."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moebench.evidence.history_tail import Tail
from moebench.evidence.record import RunRecord
from moebench.tracking.run_files import digest, flatten, naming, points, text
from moebench.tracking.store import METRICS, Point, Store, parts

STATUS = {"finished": "FINISHED", "pruned": "KILLED"}  # all others: FAILED
COSTS = (
    "steps",
    "tokens",
    "params_total",
    "params_active",
    "flops_per_token",
    "seconds",
    "tokens_per_second",
    "peak_memory_bytes",
)

TOLD = ("source", "precision", "leaks")  # fields of a record that become tags where they are set


class Child:
    """A folder `<arm>/seed_<n>` with one configuration, and what MLflow has of it.

    Args:
        store: where it is sent.
        folder: the folder of the run.
        config: text of its `config.json`.
        tags: of the run in MLflow.
        run_id: an interrupted run to continue; empty for none.
    """

    def __init__(
        self, store: Store, folder: Path, config: str, tags: Mapping[str, str], run_id: str = ""
    ) -> None:
        self.store = store
        self.folder = folder
        self.config = config
        self.tags = tags
        self.run_id = run_id
        self.running = False
        self.described = False  # parameters are sent
        self.updated = 0.0  # on the monotonic clock
        self.record = ""  # digest of the record that MLflow has
        self.steps = store.last_steps(run_id) if run_id else {}  # series -> last step in MLflow
        self.tail = Tail(folder / "history.jsonl")

    def outdated(self, config: str) -> bool:
        """Say whether the folder now has another run: a new configuration, or a repetition."""
        return config != self.config or self.record not in {"", self._mark()}

    def _mark(self) -> str:
        return digest(text(self.folder / "record.json"))

    def update(self, sent: Mapping[str, str]) -> None:
        """Send what the folder has and MLflow lacks.

        Args:
            sent: digest of a record -> the run that MLflow has for it.
        """
        self.updated = time.monotonic()
        record = text(
            self.folder / "record.json"
        )  # read before the history, which is then complete
        mark = digest(record)
        if mark in sent:
            self.run_id, self.record = sent[mark], mark
        if mark and mark == self.record:
            return
        lines = self.tail.read()
        # A resumed worker repeats the steps since its checkpoint; MLflow has them already.
        with naming(self.tail.path):
            new = self._unsent([point for line in lines for point in points(line)])
        if new or record:
            self._run(new[0].time if new else time.time())
            self._log(new)
        self.tail.accept(lines)
        if record:
            self._end(RunRecord.from_json(record), mark)

    def stop(self) -> None:
        """Set the run to KILLED if it is running."""
        if self.running:
            interrupt(self.store, self.run_id)
            self.running = False

    def _run(self, start: float) -> None:
        """Make sure that the run exists, has its parameters and is RUNNING."""
        if not self.run_id:
            name = f"{self.tags['arm']} seed {self.tags['seed']}"
            self.run_id = self.store.begin(name, self.tags, start)
        elif not self.running:
            self.store.resume(self.run_id)
        self.running = True
        if not self.described:
            self.store.tag(self.run_id, {"moebench.state": "running"})
            self.store.log_parameters(self.run_id, dict(flatten(self._configured())))
            self.described = True

    def _configured(self) -> dict[str, Any]:
        """Return the configuration."""
        with naming(self.folder / "config.json"):
            found: dict[str, Any] = json.loads(self.config)
        return found

    def _unsent(self, points: Sequence[Point]) -> list[Point]:
        return [point for point in points if point.step > self.steps.get(point.name, -1)]

    def _log(self, points: Sequence[Point]) -> None:
        for some in parts(points, METRICS):
            self.store.log_points(self.run_id, some)
            self.steps |= {point.name: point.step for point in some}

    def _end(self, record: RunRecord, mark: str) -> None:
        """Send results, costs and data, then the status, and last the mark that all is sent."""
        ended = (self.folder / "record.json").stat().st_mtime
        values = {f"cost/{n}": float(value) for n in COSTS if (value := getattr(record, n))}
        values |= {f"cost/planned/{name}": value for name, value in record.planned.items()}
        # Points of a curve, "valid/loss@100", are in their series already.
        values |= {f"final/{n}": value for n, value in record.metrics.items() if "@" not in n}
        if record.status == "diverged":
            values["diverged"] = 1.0
        self._log(self._unsent([Point(n, v, ended, record.steps) for n, v in values.items()]))
        if record.data_hash:
            data = self._configured().get("data", {})
            name = str(data.get("class_path", "data")).rpartition(".")[2]
            self.store.add_data(self.run_id, name, record.data_hash, json.dumps(data))
        self.store.end(self.run_id, STATUS.get(record.status, "FAILED"), ended)
        self.running = False
        self.store.tag(self.run_id, {**described(record), "moebench.record": mark})
        self.record = mark


def interrupt(store: Store, run_id: str) -> None:
    """Mark a run whose process has ended without a record; it may be continued later."""
    store.end(run_id, "KILLED")
    store.tag(run_id, {"moebench.state": "interrupted"})


def described(record: RunRecord) -> dict[str, str]:
    """Return the tags that a record adds to its run."""
    return {
        "moebench.state": record.status,
        "config_hash": record.config_hash,
        "mlflow.source.git.commit": record.commit,
        "data_hash": record.data_hash,
        "data_version": str(record.data_version),
        **{name: value for name in TOLD if (value := getattr(record, name))},
        **{f"code.{name}": digest for name, digest in record.code.items()},
        **{f"version.{name}": str(value) for name, value in record.versions.items()},
        **{f"hardware.{name}": str(value) for name, value in record.hardware.items()},
    }
