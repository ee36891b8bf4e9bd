"""`sweep.json` as the page and the table need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moebench.evidence.record_files import json_of


@dataclass(frozen=True)
class Trial:
    """One trial: its point, how it ended, and means over its seeds."""

    number: int
    point: Mapping[str, Any]
    status: str
    why: str
    cached_from: int | None
    values: Mapping[str, float]
    leaks: str = ""  # as of its records; nor has an older summary any
    infeasible: Sequence[str] = ()  # constraints that it does not keep

    def value(self, objective: str) -> float:
        """Return the value of an objective."""
        return self.values[objective]


class Summary:
    """A finished sweep.

    Args:
        content: of `sweep.json`.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.name: str = content["name"]
        self.objectives: Mapping[str, str] = content["objectives"]
        self.sampler: str = content["sampler"]
        self.pruner: str = content["pruner"]
        self.surface: Sequence[str] = content["surface"]
        self.publishable: bool = content["publishable"]
        self.space: Mapping[str, Mapping[str, Any]] = content["space"]
        self.seeds: int = content["seeds"]
        self.fresh: Sequence[Mapping[str, Any]] = content["fresh"]
        self.baselines: Mapping[str, Mapping[str, float]] = content["baselines"]
        self.importances: Mapping[str, Mapping[str, float]] = content["importances"]
        self.overlaps: Sequence[Mapping[str, float]] = content.get("overlaps", ())
        # Nor has an older summary what follows.
        self.against: Sequence[Mapping[str, Any]] = content.get("against", ())
        self.runs: int = content.get("runs", 0)
        self.seconds: float = content.get("seconds", 0.0)
        self.trials = [Trial(**trial) for trial in content["trials"]]
        self.best = next((t for t in self.trials if t.number == content["best"]), None)

    @property
    def objective(self) -> str:
        """The first objective, which decides which trial wins."""
        return next(iter(self.objectives))

    @property
    def best_arm(self) -> str:
        """The arm of the best trial; empty where there is none."""
        return f"trial_{self.best.number}" if self.best else ""

    @property
    def minimize(self) -> bool:
        """Whether less of it is better."""
        return self.objectives[self.objective] == "minimize"

    @property
    def leaks(self) -> list[str]:
        """What each trial leaks, and each arm with fresh seeds."""
        return [t.leaks for t in self.trials] + [row.get("leaks", "") for row in self.fresh]

    @cached_property
    def measured(self) -> Sequence[Trial]:
        """The trials that have a value, by number."""
        return [t for t in self.trials if t.status == "finished" and self.objective in t.values]

    def places(self, name: str) -> Sequence[Any]:
        """Return the values of a name in order: those of a list, else those that trials took."""
        listed = self.space[name]["values"]
        values = listed or {trial.point[name] for trial in self.measured}
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        return sorted(values) if numbers else list(values)

    def position(self, name: str, value: Any) -> float:
        """Return where a value lies on an axis: a number itself, a listed value by its place."""
        listed = self.space[name]["values"]
        return float(self.places(name).index(value)) if listed else float(value)

    def counts(self) -> Mapping[str, int]:
        """Return how many trials ended in which way, and how many the cache answered."""
        found: dict[str, int] = {}
        for trial in self.trials:
            found[trial.status] = found.get(trial.status, 0) + 1
        cached = sum(trial.cached_from is not None for trial in self.trials)
        found |= {"answered from the cache": cached} if cached else {}
        infeasible = sum(bool(trial.infeasible) for trial in self.trials)
        return {**found, **({"infeasible": infeasible} if infeasible else {})}


def read_summary(folder: Path) -> Summary:
    """Return the summary of the sweep in a folder.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = folder / "sweep.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no finished sweep; `moebench sweep` makes one")
    return Summary(json_of(path))
