"""Files of runs as workers write them, and what a real SQLite MLflow has of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from moebench.evidence.record_files import write
from moebench.testing.verdicts import run
from moebench.tracking.children import Partner
from moebench.tracking.server import open_store
from moebench.tracking.tracker import Tracker

CONFIG = {
    "seed_everything": 0,
    "model": {"router": {"class_path": "Switch", "init_args": {"factor": 1.25}}, "losses": {}},
    "data": {"class_path": "moebench.data.text.Text", "init_args": {"length": 32}},
    "callbacks": [1, None],
}
DENSE = Partner("dense", "active_flops")


class FakeRun:
    """Writes the files of a run as a worker does."""

    def __init__(self, folder: Path, arm: str = "switch", seed: int = 0, **config: object) -> None:
        self.folder = folder / arm / f"seed_{seed}"
        self.folder.mkdir(parents=True)
        self.record = run(
            arm,
            seed,
            3.5,
            target=folder.parent.name,
            profile=folder.name,
            config_hash="c0ffee",
            commit="abc123",
            versions={"torch": "2.13"},
            data_hash="d" * 64,
            data_version=2,
            code={"their_pkg.router": "0123456789ab", "their_other": "1.2"},
            steps=100,
            params_total=1000,
            seconds=2.5,
            metrics={"valid/loss@100": 3.5, "route/dropped": 0.25},
        )
        self.configure({**CONFIG, "seed_everything": seed, **config})

    def configure(self, config: dict[str, Any]) -> None:
        (self.folder / "config.json").write_text(json.dumps(config))

    def lines(self, *steps: int, start: float = 1000.0) -> None:
        """Append a line a step; the loss is a tenth of the step, the time `start` + step."""
        with (self.folder / "history.jsonl").open("a") as file:
            for step in steps:
                line = {"step": step, "time": start + step, "train/loss": step / 10, "load/0/1": 1}
                file.write(json.dumps(line) + "\n")

    def end(self, status: str = "finished", **values: Any) -> None:
        write(replace(self.record, **values, status=status), self.folder / "record.json")


class Seen:
    """What MLflow has under a root, by arm."""

    def __init__(self, root: Path) -> None:
        self.client = open_store(root).client
        experiment = self.client.get_experiment_by_name("moebench").experiment_id
        runs = self.client.search_runs([experiment])
        self.children = [run for run in runs if run.data.tags["moebench.kind"] == "run"]
        self.parents = [run for run in runs if run.data.tags["moebench.kind"] == "reproduction"]

    def run(self, arm: str = "switch") -> Any:
        [run] = [run for run in self.children if run.data.tags["arm"] == arm]
        return run

    def series(self, name: str, arm: str = "switch") -> list[tuple[int, float, int]]:
        history = self.client.get_metric_history(self.run(arm).info.run_id, name)
        return [(point.step, point.value, point.timestamp) for point in history]

    def running(self) -> list[Any]:
        return [run for run in self.children + self.parents if run.info.status == "RUNNING"]


def begin(root: Path) -> tuple[Tracker, Path]:
    """A tracker that always looks, and the folder it has opened."""
    folder = root / "paper_2021" / "quick"
    tracker = Tracker(lambda: open_store(root), "here", seconds=0)
    assert tracker.store, "it opens in a thread, for which no poll waits"
    tracker.open(folder, {"workers": "2"})
    return tracker, folder
