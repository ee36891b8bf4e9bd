"""YAML files, all read by the same rules; errors name the file."""

from collections.abc import Iterator, Mapping, Sequence
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
        ConfigurationError: if it is not YAML, or not a map; names the file.
        FileNotFoundError: if there is no such file; suggests others in its folder.
    """
    if not path.is_file():
        why = "is a folder, not a YAML file" if path.is_dir() else no_such_file(path)
        raise FileNotFoundError(f"{path}: {why}")
    try:
        content = get_loader("yaml")(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not text, so not YAML: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not YAML: {_fault(error)}") from error
    if content is None:
        raise ConfigurationError(f"{path}: is empty; expected keys and values")
    if not isinstance(content, dict):
        kind = {"list": "a list", "str": "text"}.get(type(content).__name__, "a single value")
        raise ConfigurationError(f"{path}: is {kind}; expected keys and values")
    if odd := [key for key in content if not isinstance(key, str)]:
        raise ConfigurationError(f"{path}: the key {odd[0]!r} is not a string; put it in quotes")
    return content


def _fault(error: Exception) -> str:
    """Return what is wrong with a file, and where."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', '')}"


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Prefix errors about the content of a file with its path.

    Raises:
        ConfigurationError: for a ValueError inside the context.
    """
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def data_named(files: Sequence[Path]) -> str:
    """Return what files call the data module, the last of them first; empty where none does."""
    for file in reversed(files):
        data = read_yaml(file).get("data", "")
        name = data.get("class_path", "") if isinstance(data, Mapping) else data
        if name:
            return str(name)
    return ""
