"""MLflow's database, asked directly, by the names of its tables.

MLflow's client builds an object for every parameter and tag, which takes half a minute for 10,000
runs where this takes a second.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moebench.records import SWEEPS
from moebench.tracking.finished import CURVE, DONE, HEAD, Parts, chose


def of_database(uri: str, experiment: str, required: Mapping[str, str]) -> Iterator[Parts]:
    """Yield the runs of an experiment, by its name, that were sent whole and have all these tags.

    Raises:
        FileNotFoundError: if the database is a file that does not exist.
    """
    from sqlalchemy import create_engine

    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise FileNotFoundError("no such file")  # SQLite would make an empty one
    sent = _sent(experiment, required)
    found = sent.with_only_columns(sent.selected_columns.run_uuid)
    engine = create_engine(uri)
    with engine.connect() as connection:
        began = connection.execute(sent).all()
        heads = _by_run(connection.execute(_heads(found)))
        # Tags are texts, and each database makes numbers of texts in its own way.
        seeds = {tags["seed"] for tags in heads.values() if chose(tags)}
        judging = found.where(found.selected_columns.run_uuid.not_in(_choosing(seeds)))
        parts = {
            name: _by_run(connection.execute(query)) for name, query in _queries(judging).items()
        }
    engine.dispose()
    for run, time in began:
        judged = {name: values[run] for name, values in parts.items() if run in values}
        yield Parts(time / 1000, **{"tags": heads[run], **judged})


def _sent(experiment: str, required: Mapping[str, str]) -> Any:
    """Return the question for the runs that were sent whole and have all these tags: id, start."""
    from sqlalchemy import select

    experiments = _table("experiments", "experiment_id", "name")
    runs = _table("runs", "run_uuid", "start_time", "experiment_id", "lifecycle_stage")
    tags = _table("tags", "run_uuid", "key", "value")
    named = select(experiments.experiment_id).where(experiments.name == experiment)
    query = select(runs.run_uuid, runs.start_time).where(
        runs.experiment_id.in_(named), runs.lifecycle_stage == "active"
    )
    for name, value in {DONE: "", **required}.items():
        tagged = select(tags.run_uuid).where(tags.key == name)
        query = query.where(
            runs.run_uuid.in_(tagged.where(tags.value == value) if value else tagged)
        )
    return query


def _heads(found: Any) -> Any:
    """Return the question for the tags in HEAD of these runs: run, name, value."""
    from sqlalchemy import select

    tags = _table("tags", "run_uuid", "key", "value")
    return select(tags.run_uuid, tags.key, tags.value).where(
        tags.key.in_(HEAD), tags.run_uuid.in_(found)
    )


def _choosing(seeds: Iterable[str]) -> Any:
    """Return the question for the ids of all runs of a search with one of these seeds."""
    from sqlalchemy import select

    tags = _table("tags", "run_uuid", "key", "value")
    searched = select(tags.run_uuid).where(tags.key == "target", tags.value == SWEEPS)
    return select(tags.run_uuid).where(
        tags.key == "seed", tags.value.in_(list(seeds)), tags.run_uuid.in_(searched)
    )


def _queries(runs: Any) -> dict[str, Any]:
    """Return what is asked of these runs by the name of the part: run, name, value."""
    from sqlalchemy import or_, select

    tags = _table("tags", "run_uuid", "key", "value")
    parameters = _table("params", "run_uuid", "key", "value")
    last = _table("latest_metrics", "run_uuid", "key", "value")
    points = _table("metrics", "run_uuid", "key", "step", "value")
    of_records = or_(last.key.like("cost/%"), last.key.like("final/%"))
    queries = {
        "tags": select(tags.run_uuid, tags.key, tags.value),
        "parameters": select(parameters.run_uuid, parameters.key, parameters.value).where(
            parameters.key.like("data.%")
        ),
        "metrics": select(last.run_uuid, last.key, last.value).where(of_records),
        "curve": select(points.run_uuid, points.step, points.value).where(points.key == CURVE),
    }
    return {
        name: query.where(query.selected_columns.run_uuid.in_(runs))
        for name, query in queries.items()
    }


def _table(name: str, *columns: str) -> Any:
    """Return the columns of a table of MLflow."""
    from sqlalchemy import column, table

    return table(name, *map(column, columns)).c


def _by_run(rows: Iterable[Any]) -> Mapping[str, dict[Any, Any]]:
    """Return run -> name -> value."""
    found: dict[str, dict[Any, Any]] = defaultdict(dict)
    for run, name, value in rows:
        found[run][name] = value
    return found
