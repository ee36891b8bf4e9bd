"""The parts of a configuration that are not moebench's own, and the errors they raise.

moebench's parts explain in one line which value they refuse, and why; a user's part may raise
anything.
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
def naming_user_parts(config: Any) -> Iterator[None]:
    """Turn any error that a user's part raises into a ConfigurationError of one line.

    The line names the innermost user's part that the error passed through. A ValueError that passed
    through one of moebench's parts further in is left as it is.

    Args:
        config: maps, lists and values; a part is a map with a `class_path`.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:
        if explained := user_part_error(error, config):
            raise ConfigurationError(explained) from error
        raise


def user_part_error(error: Exception, config: Any) -> str:
    """Say in one line which user's part raised an error; empty if none did.

    Args:
        error: the error.
        config: as in `naming_user_parts`.
    """
    keys = _keys(config)
    return next(filter(None, (_explained(cause, keys) for cause in _causes(error))), "")


def user_part_keys(config: Any) -> dict[type, str]:
    """Return class -> key of every user's part; several keys are joined by a comma.

    The classes of torch and Lightning are not counted as a user's.
    """
    return {
        part: key
        for part, key in _keys(config).items()
        if part.__module__.partition(".")[0] not in OURS | KNOWN
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors that led to it.

    jsonargparse keeps the errors of a union's members only in a local variable of the function that
    reports them.
    """
    yield error
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "raise_union_unexpected_value":
            for member_error in frame.f_locals["exceptions"]:
                yield from _causes(member_error)
    if cause := error.__cause__ or error.__context__:
        yield from _causes(cause)


def _explained(error: BaseException, keys: Mapping[type, str]) -> str:
    """Say which user's part raised an error, judging by the methods in its traceback; or "".

    A ValueError from one of moebench's parts explains itself. Any other error raised there is the
    fault of the user's part that called it.
    """
    explained = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        part = type(frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None)
        if part in keys:
            name = f"{part.__module__}.{part.__qualname__}"
            what = " ".join(f"{type(error).__name__}: {error}".split())
            where = f"{Path(code.co_filename).name}:{line}"
            if not _is_ours(part):
                explained = f"{keys[part]}={name}: {what} ({where})"
            elif isinstance(error, ValueError):
                explained = ""
    return explained


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
