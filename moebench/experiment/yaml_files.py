"""YAML files that are not configurations of LightningCLI, read by the same rules."""

from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader

from moebench.experiment.refusals import ConfigurationError
from moebench.papers.nearest import nearest


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the map in a file; `1e-3` is a number, as in every configuration.

    Raises:
        ConfigurationError: if it is no map, or no YAML at all.
        FileNotFoundError: if there is no such file; names the nearest beside it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file{_beside(path)}")
    try:
        content = get_loader("yaml")(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected keys and values")
    return content


def _beside(path: Path) -> str:
    """Say which files of the kind of one that is missing come nearest to it."""
    names = sorted(one.name for one in path.parent.glob(f"*{path.suffix or '.yaml'}"))
    return f"; {nearest(path.name, names)}" if names else ""
