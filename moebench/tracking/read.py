"""Reading back: the finished runs that MLflow has, as the records they were sent from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from moebench.evidence.record import RunRecord
from moebench.tracking.child import COSTS
from moebench.tracking.finished import CURVE, Parts, of_server
from moebench.tracking.server import EXPERIMENT, default_uri, open_store, reason, shown

Value = TypeVar("Value")

WHOLE_NUMBERS = ("steps", "tokens", "params_total", "params_active", "peak_memory_bytes")


class Logged(NamedTuple):
    """A finished run with what a record does not say."""

    record: RunRecord
    began: float  # unix seconds
    tags: Mapping[str, str]
    data: Mapping[str, str]  # flat configuration of its data without the seed; empty if unknown


@dataclass(frozen=True)
class Wanted:
    """Which runs to read; an empty field takes all."""

    target: str = ""  # the folder of its name
    profile: str = ""
    since: float = -math.inf  # unix seconds, between which a run began
    until: float = math.inf

    def takes(self, run: Logged) -> bool:
        """Say whether a run is wanted."""
        return (
            self.target in ("", run.record.target)
            and self.profile in ("", run.record.profile)
            and self.since <= run.began <= self.until
        )

    def __str__(self) -> str:
        """Return the filter in words."""
        days = [(name, moment) for name, moment in (("since", self.since), ("until", self.until))]
        told = [
            f"{name} {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
            for name, moment in days
            if math.isfinite(moment)
        ]
        named = [f"{name} {value}" for name, value in self.required().items()]
        return ", ".join([*named, *told]) or "all"

    def required(self) -> dict[str, str]:
        """Return the tags that a wanted run has in MLflow."""
        named = {"target": self.target, "profile": self.profile}
        return {name: value for name, value in named.items() if value}


def logged(root: Path, wanted: Wanted) -> list[Logged]:
    """Return the finished runs that MLflow has, in the order in which they began.

    Args:
        root: folder of all runs, for the default database.
        wanted: which.

    Raises:
        ConnectionError: if MLflow does not answer; names the URI.
    """
    uri = default_uri(root)
    try:
        if uri.startswith("http"):
            store = open_store(root)
            found = of_server(store.client, store.experiment, wanted.required())
        else:
            # Imported here: SQLAlchemy takes a quarter of a second that other commands do without.
            from moebench.tracking.database import of_database

            found = of_database(uri, EXPERIMENT, wanted.required())
        runs = [_logged(parts) for parts in found]
    except ConnectionError:
        raise
    except Exception as error:  # MLflow and its databases may raise anything
        raise ConnectionError(f"MLflow at {shown(uri)} failed ({reason(error)})") from error
    return sorted(filter(wanted.takes, runs), key=lambda run: run.began)


def settings_of_data(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return what a flat configuration says of the data, without the seed, which arms vary."""
    data = {name: value for name, value in parameters.items() if name.startswith("data.")}
    return {name: value for name, value in data.items() if not name.endswith(".seed")}


def _logged(parts: Parts) -> Logged:
    """Return a run as its record."""
    began, tags, parameters, metrics, curve = parts
    costs: dict[str, Any] = {
        name: metrics[f"cost/{name}"] for name in COSTS if f"cost/{name}" in metrics
    }
    costs |= {name: int(costs[name]) for name in WHOLE_NUMBERS if name in costs}
    record = RunRecord(
        target=tags["target"],
        profile=tags["profile"],
        arm=tags["arm"],
        seed=int(tags["seed"]),
        status=tags["moebench.state"],
        config_hash=tags.get("config_hash", ""),
        commit=tags.get("mlflow.source.git.commit", ""),
        versions=_under("version.", tags),
        hardware={
            name: int(value) if value.isdigit() else value
            for name, value in _under("hardware.", tags).items()
        },
        source=tags.get("source", ""),
        precision=tags.get("precision", ""),
        data_hash=tags.get("data_hash", ""),
        data_version=int(tags.get("data_version", 1)),
        code=_under("code.", tags),
        planned=_under("cost/planned/", metrics),
        leaks=tags.get("leaks", ""),
        metrics={
            **_under("final/", metrics),
            **{f"{CURVE}@{step}": value for step, value in sorted(curve.items())},
        },
        **costs,
    )
    return Logged(record, began, tags, settings_of_data(parameters))


def _under(prefix: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values whose names begin so, by the rest of their names."""
    return {n.removeprefix(prefix): value for n, value in values.items() if n.startswith(prefix)}
