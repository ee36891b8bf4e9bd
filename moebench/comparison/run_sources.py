"""Where runs come from: MLflow, or else folders of runs and files of records."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from moebench.evidence.record import FIT, SWEEPS, RunRecord
from moebench.evidence.record_files import json_of, read
from moebench.papers import targets
from moebench.papers.nearest import nearest
from moebench.tracking import TAGS, Logged, Wanted, logged
from moebench.tracking.read import settings_of_data
from moebench.tracking.run_files import flatten

DAY = 86400.0  # seconds
DATABASE = "mlflow.db"  # MLflow's default, in the folder of all runs


def wanted(target: str, profile: str, since: str = "", until: str = "") -> Wanted:
    """Return the filter that the user asked for.

    Args:
        target: name of the target's folder; empty for all.
        profile: name of the profile or the sweep; empty for all.
        since: the first day (UTC), such as 2026-01-31; empty for no limit.
        until: the last day; empty for no limit.

    Raises:
        ValueError: for an invalid day, or a first day after the last.
    """
    first = _day("since", since) if since else -math.inf
    last = _day("until", until) + DAY if until else math.inf
    if first >= last:
        raise ValueError(f"since={since}: is after until={until}")
    return Wanted(target, profile, first, last)


def wanted_tags(tags: Sequence[str]) -> dict[str, str]:
    """Parse the tags, given as `name=value`, that mixtures must have.

    Raises:
        ValueError: for a tag without a value.
    """
    if unclear := [tag for tag in tags if not all(tag.partition("=")[::2])]:
        raise ValueError(f"tag={unclear[0]}: expected name=value")
    return dict(tag.split("=", 1) for tag in tags)


def _day(name: str, text: str) -> float:
    """Return the start of a day in unix seconds."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC).timestamp()
    except ValueError:
        raise ValueError(f"{name}={text}: expected a day such as 2026-01-31") from None


def found_runs(root: Path, records: Path | None, wanted: Wanted) -> tuple[list[Logged], str]:
    """Return the wanted runs and a description of where they came from.

    Args:
        root: folder of all runs.
        records: a folder of runs or a `results.jsonl` to use instead of MLflow.
        wanted: the filter.

    Raises:
        FileNotFoundError: if there are none; says what was wanted.
        ValueError: if there are none, of a target or profile that nobody knows; names the nearest.
        ConnectionError: if MLflow does not answer.
    """
    try:
        if records is None and (
            os.environ.get("MLFLOW_TRACKING_URI") or (root / DATABASE).exists()
        ):
            runs, place = logged(root, wanted), "MLflow"
        else:
            runs, place = from_files(records or root, wanted), str(records or root)
        if not runs:
            raise FileNotFoundError(f"{place}: no matching run ({wanted})")
    except FileNotFoundError:
        _refuse_unknown(wanted)
        raise
    count = len(runs)
    return runs, f"{count} {'run' if count == 1 else 'runs'} from {place}, {wanted}"


def _refuse_unknown(wanted: Wanted) -> None:
    """Refuse a target that there is not, or a profile that it does not have.

    Only where nothing was found: anybody's runs may be compared.
    """
    plans = {one.folder: one.plan for one in targets()}
    if wanted.target in plans and wanted.profile:
        plans[wanted.target].profile(wanted.profile)
    elif wanted.target not in ("", SWEEPS, FIT, *plans):
        names = [*(one.name for one in targets()), SWEEPS, FIT]
        raise ValueError(f"target={wanted.target}: unknown; {nearest(wanted.target, names)}")


def from_files(place: Path, wanted: Wanted) -> list[Logged]:
    """Return the wanted runs from a folder of all runs, or from one `results.jsonl`.

    The start of a run is the modification time of its file minus its training time.

    Raises:
        FileNotFoundError: if there is no such place.
        ValueError: if a line is not a record; names file and line.
    """
    if not place.exists():
        raise FileNotFoundError(f"{place}: neither a folder of runs nor a file of records")
    if place.is_file():
        runs = [_logged(record, place, {}, {}) for record in read(place)]
    else:
        runs = list(_in_folder(place, wanted))
    return sorted(filter(wanted.takes, runs), key=lambda run: run.began)


def _in_folder(root: Path, wanted: Wanted) -> Iterator[Logged]:
    """Yield the runs under `<root>/<target>/<profile>/<arm>/seed_<n>`."""
    # The trailing slash matches folders only: an earlier comparison may have left files here.
    for folder in sorted(root.glob(f"{wanted.target or '*'}/{wanted.profile or '*'}/")):
        tags = _json_of(folder / TAGS)
        for path in sorted(folder.glob("*/seed_*/record.json")):
            config = _json_of(path.with_name("config.json"))
            for record in read(path):
                yield _logged(record, path, tags.get(record.arm, {}), config)


def _json_of(path: Path) -> dict[str, Any]:
    """Return the map in a file; empty if there is no file."""
    found = json_of(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected keys and values")
    return found


def _logged(
    record: RunRecord, path: Path, tags: Mapping[str, str], config: Mapping[str, Any]
) -> Logged:
    """Return a run as MLflow would have it."""
    named = {"target": record.target, "profile": record.profile, "arm": record.arm}
    began = path.stat().st_mtime - record.seconds
    data = settings_of_data(dict(flatten({"data": config.get("data", {})})))
    return Logged(record, began, {**tags, **named}, data)


def newest(runs: Iterable[Logged]) -> list[Logged]:
    """Return one run per target, profile, arm and seed: the last started that did not fail.

    Running out of memory and diverging are results; a failure is not, unless nothing else exists.
    """
    found = {
        (run.record.target, run.record.profile, run.record.arm, run.record.seed): run
        for run in sorted(runs, key=lambda run: (run.record.status != "failed", run.began))
    }
    return list(found.values())
