"""Checks of the classes that a configuration names: can they be imported and instantiated?"""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from moebench.experiment.part_registry import why_misplaced
from moebench.papers.nearest import nearest


def named_class(path: str) -> type | None:
    """Return the class with a dotted name; None if there is none."""
    module, _, name = path.rpartition(".")
    if not module:
        return None
    found = getattr(importlib.import_module(module), name, None)
    return found if inspect.isclass(found) else None


def why_unusable(path: str) -> str:
    """Say why the object with a dotted name cannot be used as a part; empty if it can.

    Also empty if there is no such object: `why_missing` explains that.
    """
    module, _, name = path.rpartition(".")
    if not module:
        return ""
    if module == "__main__":
        return "is in the program itself, which runs cannot import; move it into its own file"
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # a user's module may raise anything
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            return ""
        return f"module {module} cannot be imported ({type(error).__name__}: {error})"
    if found is None:
        return ""
    if not inspect.isclass(found):
        return f"is of type {type(found).__name__}, not a class"
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    return f"is an abstract class, which lacks {', '.join(missing)}" if missing else ""


def why_missing(path: str) -> str:
    """Say which part of a dotted name does not exist, given that the whole does not."""
    module, _, name = path.rpartition(".")
    try:
        contents = vars(importlib.import_module(module))
    except ImportError:
        return f"module {module} is neither in the current folder nor installed"
    classes = (key for key, value in contents.items() if inspect.isclass(value))
    return f"module {module} has no class {name}; {nearest(name, classes)}"


def _null_argument(named: type | None, arguments: Mapping[str, Any]) -> str:
    """Return an argument that is null though its class declares a number, text or a boolean.

    What makes a part, such as a router, takes its arguments without a check of null.
    """
    given = inspect.signature(named).parameters if named else {}
    plain = (name for name, one in given.items() if one.annotation in (int, float, str, bool))
    return next((name for name in plain if name in arguments and arguments[name] is None), "")


def check_classes(config: Any, key: str = "") -> None:
    """Check every class that a resolved configuration names.

    Abstract classes pass until they are instantiated, and so do functions that declare the type
    they return.

    Raises:
        ValueError: for the first one that cannot be used as a part, or not at its key.
    """
    if isinstance(config, Mapping):
        if isinstance(path := config.get("class_path"), str):
            if why := why_unusable(path):
                raise ValueError(f"{key}={path}: {why}; allowed: a class that can be instantiated")
            if why := why_misplaced(key, named_class(path)):
                raise ValueError(f"{key}={path}: {why}; `moebench list` shows others")
            if name := _null_argument(named_class(path), config.get("init_args") or {}):
                raise ValueError(f"{key}.init_args.{name}=null: must have a value")
        for name, value in config.items():
            check_classes(value, f"{key}.{name}".lstrip("."))
    elif isinstance(config, list | tuple):
        for number, value in enumerate(config):
            check_classes(value, f"{key}.{number}")
    elif inspect.isroutine(config):
        path = f"{config.__module__}.{config.__name__}"
        raise ValueError(f"{key}={path}: is of type function, not a class; allowed: a class_path")
