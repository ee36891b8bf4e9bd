"""The configuration files of a command line: errors name the file that contains the wrong key."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.papers.home import find_config
from moebench.papers.yaml_files import ConfigurationError, read_yaml

OPTION = "--config"
# The key at the beginning of an error message.
KEY = re.compile(r"(?:Option |Group )?'?([A-Za-z_][\w.-]*)'?(?:=|: | is not | does not )")


def joined(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which `--config FILE` is one word, `--config=FILE`.

    A file that comes with moebench is found there.
    """
    found: list[str] = []
    left = iter(arguments)
    for argument in left:
        option, equals, path = argument.partition("=")
        if option == OPTION:
            path = path if equals else next(left, "")
            argument = f"{OPTION}={find_config(path)}" if equals or path else option
        found.append(argument)
    return found


def config_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files given by `--config`."""
    parts = [argument.partition("=") for argument in joined(arguments)]
    return [Path(path) for option, equals, path in parts if option == OPTION and equals]


@contextmanager
def naming_files(arguments: Sequence[str]) -> Iterator[None]:
    """Prefix an error that begins with a key with the file that sets this key.

    Args:
        arguments: arguments of LightningCLI: files, and single keys that override them; an error
            about one of the latter gets no prefix.

    Raises:
        ConfigurationError: for a file that is not a configuration, and for a ValueError inside the
            context.
        FileNotFoundError: for a missing file.
    """
    contents = {path: read_yaml(path) for path in config_files(arguments)}
    options = (argument for argument in arguments if argument.startswith("--"))
    given = [_short(option.partition("=")[0][2:]) for option in options]
    try:
        yield
    except ValueError as error:
        found = KEY.match(str(error))
        if found is None or _is_given(_short(found[1]), given):
            raise
        path = _file_of(_short(found[1]), contents)
        if path is None:
            raise
        raise ConfigurationError(f"{path}: {error}") from error


def _is_given(key: str, given: Sequence[str]) -> bool:
    """Say whether a key, or one that contains it, was given on the command line."""
    outer = key.partition(".")[0]
    return any(
        f".{name}".endswith((f".{key}", f".{outer}")) or name.startswith(f"{key}.")
        for name in given
    )


def _file_of(key: str, contents: Mapping[Path, Any]) -> Path | None:
    """Return the last file with a key, or with one that ends in it; None if there is none."""
    for path in reversed(list(contents)):
        if any(f".{name}".endswith(f".{key}") for name in _keys(contents[path], "")):
            return path
    return None


def _keys(content: Any, prefix: str) -> Iterator[str]:
    """Yield the dotted keys of a configuration, at any depth."""
    entries: Any = ()
    if isinstance(content, Mapping):
        entries = content.items()
    elif isinstance(content, list):
        entries = enumerate(content)
    for key, value in entries:
        inner = f"{prefix}.{key}".removeprefix(".")
        yield _short(inner)
        yield from _keys(value, inner)


def _short(key: str) -> str:
    """Return a key without the parts that may be omitted: `init_args` and indices."""
    return re.sub(r"\.(init_args|\d+)(?=\.|$)", "", key)
