"""Files of records: written atomically, and read with the location of every error."""

import errno
import json
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from moebench.evidence.record import RunRecord

EARLIER = "earlier"  # an arm's folder of runs with another identity than those in use
IDENTITY = "identity"  # file in the folder of a run: a hash of what defines it, except its seed

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # disk, quota, file size


def is_full(error: BaseException | None) -> bool:
    """Say whether an error, or one that led to it, means that a disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            return True
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically: a reader finds the old text or the new one, never a part."""
    # Not with tempfile, whose files are private to the user: a report is meant to be read.
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
    """Write one record to its own file."""
    write_whole(path, record.to_json() + "\n")


def write_all(records: Iterable[RunRecord], path: Path) -> None:
    """Write records to one file, ordered by arm and seed."""
    ordered = sorted(records, key=lambda record: (record.arm, record.seed))
    write_whole(path, "".join(record.to_json() + "\n" for record in ordered))


def read(path: Path) -> list[RunRecord]:
    """Return the records of a file.

    Raises:
        ValueError: if a line cannot be read; names file and line.
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
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}:{number}: not a run record: {error}") from None
    return records


def read_one(path: Path) -> RunRecord:
    """Return the only record of a file.

    Raises:
        ValueError: if the file does not hold exactly one readable record; names the file.
    """
    records = read(path)
    if len(records) != 1:
        raise ValueError(f"{path}: has {len(records)} run records, not one; move the run away")
    return records[0]


def json_of(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        ValueError: if it is not JSON; names the file.
        FileNotFoundError: if there is no such file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def read_history(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's history, `{"step": ..., "time": unix seconds, metric: value}`.

    A last line truncated by a kill is left out; a missing file has no lines.

    Raises:
        ValueError: if a line cannot be read; names file and line.
    """
    return history_lines(path.read_bytes(), path) if path.exists() else []


def history_lines(content: bytes, path: Path) -> list[dict[str, Any]]:
    """Return the whole lines in the content of a history; the path is for messages."""
    lines = []
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(text)
            lines.append({**line, "step": int(line["step"])})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{path}:{number}: not a line of a history: {error}") from None
    return lines


def files_of_runs(folder: Path, name: str, arm: str = "*", seed: str = "*") -> list[Path]:
    """Return this file of every run in `<root>/<target>/<profile>`, those in use first."""
    earlier = folder.glob(f"{arm}/{EARLIER}/*/seed_{seed}/{name}")
    return [*sorted(folder.glob(f"{arm}/seed_{seed}/{name}")), *sorted(earlier)]


def beside(run: Path) -> Path:
    """Return a folder for what has to stay where it is while the folder of a run may move."""
    return run.with_name(f".{run.name}")


def is_earlier(run: Path) -> bool:
    """Say whether the folder of a run is in an arm's folder `earlier`."""
    return run.parents[1].name == EARLIER


def arm_of(run: Path) -> str:
    """Return the arm that the folder of a run belongs to."""
    return (run.parents[2] if is_earlier(run) else run.parent).name
