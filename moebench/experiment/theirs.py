"""Parts of somebody else's in a configuration, and the errors that come out of them.

Our own parts say by themselves which value they refuse, and why; anybody else's may raise anything.
"""

import importlib
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.experiment.code import KNOWN, OURS
from moebench.papers.yaml_files import ConfigurationError


@contextmanager
def naming_theirs(config: Any) -> Iterator[None]:
    """Turn whatever a part of somebody else's raises into a ConfigurationError of one line.

    It names the innermost part of theirs that the error came through; a ValueError of a part of
    ours that it came through later is left as it is.

    Args:
        config: maps, lists and values; the class of a part is its `class_path`.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:
        if told := told_of(error, config):
            raise ConfigurationError(told) from error
        raise


def told_of(error: Exception, config: Any) -> str:
    """Say in one line which part of somebody else's raised an error; empty if none did.

    Args:
        error: that was raised.
        config: as of `naming_theirs`.
    """
    keys = _keys(config)
    return next(filter(None, (_told(one, keys) for one in _behind(error))), "")


def keys_of_theirs(config: Any) -> dict[type, str]:
    """Return class -> key of every part that is somebody else's, several keys joined by a comma.

    What torch and Lightning bring is nobody's.
    """
    return {
        part: key
        for part, key in _keys(config).items()
        if part.__module__.partition(".")[0] not in OURS | KNOWN
    }


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it.

    jsonargparse keeps what the members of a union raised nowhere but in the function that says so.
    """
    yield error
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "raise_union_unexpected_value":
            for one in frame.f_locals["exceptions"]:
                yield from _behind(one)
    if cause := error.__cause__ or error.__context__:
        yield from _behind(cause)


def _told(error: BaseException, keys: Mapping[type, str]) -> str:
    """Say which part raised an error, by whose methods were running; empty if none or ours.

    What ours refuses as a ValueError it explains by itself; anything else that is raised there is
    the fault of the part that called it.
    """
    told = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        part = type(frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None)
        if part in keys:
            name = f"{part.__module__}.{part.__qualname__}"
            what = " ".join(f"{type(error).__name__}: {error}".split())
            where = f"{Path(code.co_filename).name}:{line}"
            if not _is_ours(part):
                told = f"{keys[part]}={name}: {what} ({where})"
            elif isinstance(error, ValueError):
                told = ""
    return told


def _is_ours(part: type) -> bool:
    return part.__module__.partition(".")[0] in OURS


def _keys(config: Any) -> dict[type, str]:
    """Return class -> key of every part."""
    found: dict[type, str] = {}
    for key, path in _paths(config):
        module, _, name = path.rpartition(".")
        part = getattr(importlib.import_module(module), name)
        if isinstance(part, type):
            found[part] = f"{found[part]}, {key}" if part in found else key
    return found


def _paths(config: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and `class_path` of every part, at any depth."""
    if isinstance(config, Mapping):
        if isinstance(path := config.get("class_path"), str):
            yield key, path
        for name, value in config.items():
            yield from _paths(value, f"{key}.{name}".lstrip("."))
    elif isinstance(config, list | tuple):
        for number, value in enumerate(config):
            yield from _paths(value, f"{key}.{number}")
