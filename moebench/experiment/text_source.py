"""Sources of text: one by itself, outside any experiment, and whether configurations take one."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

from jsonargparse import ArgumentParser

from moebench.data.sources.source import Source
from moebench.data.text import AnySource
from moebench.experiment.classes import named_class
from moebench.experiment.part_registry import FAMILIES
from moebench.experiment.refusals import one_line_errors
from moebench.experiment.user_parts import naming_user_parts
from moebench.papers.yaml_files import ConfigurationError, data_named

TEXT = "data.source"  # the key of a person's own text among settings


def source_of(described: str) -> Source:
    """Return the source described as `data.source` in a configuration.

    Args:
        described: YAML with `class_path` and `init_args`, or just the name of a class.

    Raises:
        ConfigurationError: for an unknown class or argument, or a value that is refused.
    """
    if not described.strip():
        raise ConfigurationError("source: is empty; it takes a class_path, or a name of a source")
    parser = ArgumentParser(exit_on_error=False, prog="moebench")
    parser.add_argument("--source", type=AnySource)
    with one_line_errors():
        parsed = parser.parse_args([f"--source={described}"])
        with naming_user_parts(parsed.as_dict()):
            found: Source = parser.instantiate_classes(parsed).source
    return found


def takes_text(files: Sequence[Path]) -> bool:
    """Say whether an experiment of these files trains on a text, which may be another one.

    A data module that nobody finds is taken to: it is refused when the experiment is read.
    """
    name = data_named(files)
    try:
        part = named_class(name) or {one.__name__: one for one in FAMILIES["data"].values()}[name]
    except (ImportError, KeyError):
        return True
    return "source" in inspect.signature(part).parameters


def fitting(files: Sequence[Path], settings: Mapping[str, object]) -> Mapping[str, object]:
    """Return settings without the text, if an experiment of these files trains on none."""
    if TEXT not in settings or takes_text(files):
        return settings
    return {key: value for key, value in settings.items() if key != TEXT}
