"""Files in which each row is a document: JSON lines and Parquet."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")  # one of a surrogate pair, which JSON may have alone


def rows(path: Path, field: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each row, from 0, and its text; rows of null are skipped.

    Raises:
        ValueError: if the file cannot be read, or the field of a row is missing or is not text.
    """
    for number, value in ROWS[path.suffix.lower()](path, field):
        text = text_of(value, f"source.field={field!r}: row {number} of {str(path)!r}")
        if text is not None:
            yield number, text.replace("\r\n", "\n")


def text_of(value: Any, place: str) -> str | None:
    """Return the text of a row, None for a null.

    Raises:
        ValueError: if it is not text; the message names the place.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{place} has {type(value).__name__} there, not text")
    if half := _HALF.search(value):
        raise ValueError(f"{place} has {half[0]!r}, half a surrogate pair, which is not text")
    return value


def _json_lines(path: Path, field: str) -> Iterator[tuple[int, Any]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file):
                if line.strip():
                    row = _parsed(line, f"line {number + 1} of {str(path)!r}")
                    if not isinstance(row, dict) or field not in row:
                        raise _missing(path, field, row if isinstance(row, dict) else ())
                    yield number, row[field]
    except UnicodeDecodeError as error:
        raise ValueError(f"source.path: {str(path)!r} is not UTF-8 text ({error})") from error


def _parsed(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:  # also for huge numbers and deep nesting
        raise ValueError(f"source.path: {place} is not JSON ({error})") from error


def _parquet(path: Path, field: str) -> Iterator[tuple[int, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ValueError(
            f"source.path: {str(path)!r} needs the package pyarrow; run: pip install pyarrow"
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            if field not in file.schema_arrow.names:
                raise _missing(path, field, file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(columns=[field]):
                for text in batch.column(0).to_pylist():
                    yield number, text
                    number += 1
    except (ArrowException, OSError) as error:
        raise ValueError(f"source.path: {str(path)!r} is not Parquet ({error})") from error


ROWS: dict[str, Callable[[Path, str], Iterator[tuple[int, Any]]]] = {
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}


def _missing(path: Path, field: str, there: Iterable[str]) -> ValueError:
    fields = ", ".join(there) or "no fields"
    return ValueError(f"source.field={field!r}: {str(path)!r} has {fields}")
