"""Files of records: written whole or not at all, and read with the place of every fault."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from moebench.evidence.record import RunRecord

EARLIER = "earlier"  # folder of an arm with the runs that differ from those in use
IDENTITY = "identity"  # file in the folder of a run: what tells it from others, the seed aside


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one, never a part of either."""
    # Not by tempfile, whose files nobody else may read: a report is there to be read.
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(record: RunRecord, path: Path) -> None:
    """Write one record to a file of its own."""
    write_whole(path, record.to_json() + "\n")


def write_all(records: Iterable[RunRecord], path: Path) -> None:
    """Write records to one file, ordered by arm and seed."""
    ordered = sorted(records, key=lambda record: (record.arm, record.seed))
    write_whole(path, "".join(record.to_json() + "\n" for record in ordered))


def read(path: Path) -> list[RunRecord]:
    """Return the records of a file.

    Raises:
        ValueError: naming file and line where one cannot be read.
        FileNotFoundError: if there is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not run records: {error}") from None
    records = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                records.append(RunRecord.from_json(line))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: not a run record: {error}") from None
    return records


def read_one(path: Path) -> RunRecord:
    """Return the record of a file that holds one.

    Raises:
        ValueError: naming the file, if it holds none or several, or one that cannot be read.
    """
    records = read(path)
    if len(records) != 1:
        raise ValueError(f"{path}: holds {len(records)} run records, not one; move the run away")
    return records[0]


def read_history(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's history, `{"step": ..., "time": unix seconds, metric: value}`.

    A last line cut short by a kill is left out; without a file there are none.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def files_of_runs(folder: Path, name: str) -> list[Path]:
    """Return the files of a name of all runs in `<root>/<target>/<profile>`, those in use first."""
    kept = folder.glob(f"*/{EARLIER}/*/seed_*/{name}")
    return [*sorted(folder.glob(f"*/seed_*/{name}")), *sorted(kept)]


def is_kept(run: Path) -> bool:
    """Say whether the folder of a run is one of those kept beside the runs in use."""
    return run.parents[1].name == EARLIER


def arm_of(run: Path) -> str:
    """Return the arm of the folder of a run."""
    return (run.parents[2] if is_kept(run) else run.parent).name
