"""The configuration files of a command line, so that what is refused can name the file it is in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.papers.home import at_home
from moebench.papers.yaml_files import ConfigurationError, read_yaml

OPTION = "--config"
# That a refusal begins with.
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
            argument = f"{OPTION}={at_home(path)}" if equals or path else option
        found.append(argument)
    return found


def config_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that the arguments name by `--config`."""
    parts = [argument.partition("=") for argument in joined(arguments)]
    return [Path(path) for option, equals, path in parts if option == OPTION and equals]


@contextmanager
def naming_files(arguments: Sequence[str]) -> Iterator[None]:
    """Put the file that has a key before a refusal that begins with that key.

    Args:
        arguments: of LightningCLI: files and, laid over them, single keys, which need no file.

    Raises:
        ConfigurationError: for a file that is no configuration, and for what is refused inside.
        FileNotFoundError: for a file that is not there.
    """
    contents = {path: read_yaml(path) for path in config_files(arguments)}
    given = [_short(one.partition("=")[0][2:]) for one in arguments if one.startswith("--")]
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
    """Say whether a key, or what it is inside of, was given by itself."""
    outer = key.partition(".")[0]
    return any(
        f".{one}".endswith((f".{key}", f".{outer}")) or one.startswith(f"{key}.") for one in given
    )


def _file_of(key: str, contents: Mapping[Path, Any]) -> Path | None:
    """Return the last file with a key, which may be the end of a longer one; None without any."""
    for path in reversed(list(contents)):
        if any(f".{one}".endswith(f".{key}") for one in _keys(contents[path], "")):
            return path
    return None


def _keys(content: Any, place: str) -> Iterator[str]:
    """Yield the dotted keys of a configuration, at any depth."""
    entries: Any = ()
    if isinstance(content, Mapping):
        entries = content.items()
    elif isinstance(content, list):
        entries = enumerate(content)
    for key, value in entries:
        inner = f"{place}.{key}".removeprefix(".")
        yield _short(inner)
        yield from _keys(value, inner)


def _short(key: str) -> str:
    """Return a key without what may be left out of one."""
    return re.sub(r"\.(init_args|\d+)(?=\.|$)", "", key)
