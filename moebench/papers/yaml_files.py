"""YAML files, read by the same rules wherever they are, and refused by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader

from moebench.papers.nearest import no_such_file


class ConfigurationError(ValueError):
    """A configuration that cannot be built; the message is one line."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the map in a file; `1e-3` is a number, as in every configuration.

    Raises:
        ConfigurationError: naming the file, if it is no map, or no YAML at all.
        FileNotFoundError: if there is no such file; names the nearest beside it.
    """
    if not path.is_file():
        told = "is a folder, not a file of YAML" if path.is_dir() else no_such_file(path)
        raise FileNotFoundError(f"{path}: {told}")
    try:
        content = get_loader("yaml")(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: no text, so no YAML: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not YAML: {_fault(error)}") from error
    if content is None:
        raise ConfigurationError(f"{path}: is empty; expected keys and values")
    if not isinstance(content, dict):
        kind = {"list": "a list", "str": "a text"}.get(type(content).__name__, "a single value")
        raise ConfigurationError(f"{path}: is {kind}; expected keys and values")
    if odd := [key for key in content if not isinstance(key, str)]:
        raise ConfigurationError(f"{path}: the key {odd[0]!r} is no word; put it in quotes")
    return content


def _fault(error: Exception) -> str:
    """Return what is wrong with a file, and in which line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', '')}"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file before whatever is refused of its content.

    Raises:
        ConfigurationError: for a ValueError inside.
    """
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error
