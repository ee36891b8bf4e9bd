"""An MLflow experiment in plain strings and numbers; the only place that knows MLflow's classes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")

# MLflow's limits, in a request and in characters.
METRICS, ITEMS = 1000, 100
NAME, PARAMETER, TAG, DIGEST, SOURCE = 250, 6000, 8000, 36, 65535


class Point(NamedTuple):
    """One value of a series."""

    name: str
    value: float  # finite
    time: float  # unix seconds
    step: int


class Stored(NamedTuple):
    """A run as MLflow has it."""

    run_id: str
    status: str  # RUNNING, FINISHED, FAILED or KILLED
    tags: Mapping[str, str]


class Store:
    """Reads and writes the runs of one experiment, made if missing.

    Every method raises what MLflow raises.

    Args:
        client: an MlflowClient.
        experiment: name of the experiment.
        artifacts: where the artifacts of a new experiment go; None leaves it to the server.
        tags: of the experiment.
    """

    def __init__(
        self,
        client: Any,
        experiment: str,
        artifacts: str | None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # Without a location MLflow would write into the current directory.
            self.experiment = client.create_experiment(experiment, artifacts)
        else:
            self.experiment = found.experiment_id
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(self.experiment)
        self._describe(tags or {})

    def _describe(self, tags: Mapping[str, str]) -> None:
        """Set the tags of the experiment that are missing or have another value."""
        known = self.client.get_experiment(self.experiment).tags if tags else {}
        for name, value in tags.items():
            if known.get(name) != value:
                self.client.set_experiment_tag(self.experiment, name, value)

    def search(self, **tags: str) -> list[Stored]:
        """Return the runs with these tags, the newest first."""
        query = having(tags)
        runs: list[Stored] = []
        token = None
        while True:
            page = self.client.search_runs([self.experiment], query, page_token=token)
            found = (Stored(run.info.run_id, run.info.status, run.data.tags) for run in page)
            runs += [run for run in found if tags.items() <= run.tags.items()]
            token = page.token
            if not token:
                return runs

    def last_steps(self, run_id: str) -> dict[str, int]:
        """Return the last step of every series of a run."""
        names = self.client.get_run(run_id).data.metrics
        series = {name: self.client.get_metric_history(run_id, name) for name in names}
        return {name: max(point.step for point in points) for name, points in series.items()}

    def begin(self, name: str, tags: Mapping[str, str], time: float) -> str:
        """Begin a run at a time in unix seconds and return its id."""
        created = self.client.create_run(
            self.experiment, start_time=round(time * 1000), run_name=name, tags=dict(tags)
        )
        return str(created.info.run_id)

    def resume(self, run_id: str) -> None:
        """Set a run that had stopped to RUNNING."""
        self.client.update_run(run_id, status="RUNNING")

    def end(self, run_id: str, status: str, time: float | None = None) -> None:
        """Set the last status of a run, reached at a time in unix seconds; None is now."""
        self.client.set_terminated(run_id, status, time and round(time * 1000))

    def log_parameters(self, run_id: str, parameters: Mapping[str, str]) -> None:
        """Log parameters, cut to MLflow's limits; logging the same ones again is no error."""
        from mlflow.entities import Param

        cut = {legal(name): value[:PARAMETER] for name, value in parameters.items()}
        for some in parts(list(cut.items()), ITEMS):
            self.client.log_batch(run_id, params=[Param(*item) for item in some])

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Log at most `METRICS` points in one request."""
        from mlflow.entities import Metric

        self.client.log_batch(
            run_id,
            metrics=[Metric(legal(p.name), p.value, round(p.time * 1000), p.step) for p in points],
        )

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags, cut to MLflow's limits."""
        from mlflow.entities import RunTag

        for some in parts(list(tags.items()), ITEMS):
            self.client.log_batch(run_id, tags=[RunTag(legal(n), v[:TAG]) for n, v in some])

    def add_data(self, run_id: str, name: str, digest: str, source: str) -> None:
        """Name the data that a run was trained on."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = Dataset(name, digest[:DIGEST], "moebench", source[:SOURCE])
        context = [InputTag("mlflow.data.context", "training")]
        self.client.log_inputs(run_id, [DatasetInput(data, context)])

    def add_files(self, run_id: str, paths: Iterable[Path]) -> None:
        """Copy the files that are there to the artifacts of a run."""
        for path in paths:
            if path.exists():
                self.client.log_artifact(run_id, str(path))


def having(tags: Mapping[str, str]) -> str:
    """Return the search condition for these tags, without those that it cannot express.

    MLflow has no way to write a quote in a name or a value.
    """
    quotable = {name: v for name, v in tags.items() if not set(name + v) & set("'`\\")}
    return " and ".join(f"tags.`{name}` = '{value}'" for name, value in quotable.items())


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def legal(name: str) -> str:
    """Return a name that MLflow accepts: letters, digits, `_-./` and spaces, and not too long."""
    return re.sub(r"[^/\w.\- ]", "_", name)[:NAME]
