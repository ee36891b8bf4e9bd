"""MLflow's database, queried directly, by the names of its tables.

MLflow's client builds an object for every parameter and tag: for 10,000 runs it takes half a
minute, this a second.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, column, create_engine, or_, select, table

from moebench.evidence.record import SWEEPS
from moebench.tracking.finished import CURVE, DONE, HEAD, Parts, chose
from moebench.tracking.server import sqlite_path

EXPERIMENTS = table("experiments", column("experiment_id"), column("name")).c
RUNS = table("runs", *map(column, ("run_uuid", "start_time", "experiment_id", "lifecycle_stage"))).c
TAGS, PARAMETERS, LAST, POINTS = (
    table(name, *map(column, ("run_uuid", "key", "value", "step"))).c
    for name in ("tags", "params", "latest_metrics", "metrics")
)


def of_database(uri: str, experiment: str, required: Mapping[str, str]) -> Iterator[Parts]:
    """Yield the runs of an experiment, by its name, that are complete and have all these tags.

    Raises:
        FileNotFoundError: if the database is a file that does not exist.
    """
    if (path := sqlite_path(uri)) is not None and not path.exists():
        raise FileNotFoundError("no such file")  # SQLite would make an empty one
    sent = _sent(experiment, required)
    found = sent.with_only_columns(sent.selected_columns.run_uuid)
    engine = create_engine(uri)
    with engine.connect() as connection:
        began = connection.execute(sent).all()
        heads = _by_run(connection.execute(_tags(found).where(TAGS.key.in_(HEAD))))
        # Tags are texts, and databases differ in how they convert text to numbers.
        seeds = {tags["seed"] for tags in heads.values() if chose(tags)}
        judging = found.where(found.selected_columns.run_uuid.not_in(_choosing(seeds)))
        parts = {
            name: _by_run(connection.execute(query)) for name, query in _queries(judging).items()
        }
    engine.dispose()
    for run, time in began:
        judged = {name: values[run] for name, values in parts.items() if run in values}
        yield Parts(time / 1000, **{"tags": heads[run], **judged})


def _sent(experiment: str, required: Mapping[str, str]) -> Select[Any]:
    """Return the query for complete runs that have all these tags: id, start."""
    named = select(EXPERIMENTS.experiment_id).where(EXPERIMENTS.name == experiment)
    query = select(RUNS.run_uuid, RUNS.start_time).where(
        RUNS.experiment_id.in_(named), RUNS.lifecycle_stage == "active"
    )
    for name, value in {DONE: "", **required}.items():
        tagged = select(TAGS.run_uuid).where(TAGS.key == name)
        query = query.where(
            RUNS.run_uuid.in_(tagged.where(TAGS.value == value) if value else tagged)
        )
    return query


def _choosing(seeds: Iterable[str]) -> Select[Any]:
    """Return the query for the ids of all runs of a search with one of these seeds."""
    searched = select(TAGS.run_uuid).where(TAGS.key == "target", TAGS.value == SWEEPS)
    return select(TAGS.run_uuid).where(
        TAGS.key == "seed", TAGS.value.in_(list(seeds)), TAGS.run_uuid.in_(searched)
    )


def _tags(runs: Select[Any]) -> Select[Any]:
    """Return the query for the tags of these runs: run, name, value."""
    return select(TAGS.run_uuid, TAGS.key, TAGS.value).where(TAGS.run_uuid.in_(runs))


def _queries(runs: Select[Any]) -> dict[str, Select[Any]]:
    """Return part -> query for that part of these runs: run, name, value."""
    return {
        "tags": _tags(runs),
        "parameters": select(PARAMETERS.run_uuid, PARAMETERS.key, PARAMETERS.value).where(
            PARAMETERS.run_uuid.in_(runs), PARAMETERS.key.like("data.%")
        ),
        "metrics": select(LAST.run_uuid, LAST.key, LAST.value).where(
            LAST.run_uuid.in_(runs), or_(LAST.key.like("cost/%"), LAST.key.like("final/%"))
        ),
        "curve": select(POINTS.run_uuid, POINTS.step, POINTS.value).where(
            POINTS.run_uuid.in_(runs), POINTS.key == CURVE
        ),
    }


def _by_run(rows: Iterable[Any]) -> Mapping[str, dict[Any, Any]]:
    """Return run -> name -> value."""
    found: dict[str, dict[Any, Any]] = defaultdict(dict)
    for run, name, value in rows:
        found[run][name] = value
    return found
