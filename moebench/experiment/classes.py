"""What is wrong with a class that a configuration names: it cannot be imported, or not be made."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from moebench.experiment.part_registry import misplaced
from moebench.papers.nearest import nearest


def named_class(path: str) -> type | None:
    """Return the class that a dotted name stands for; None where it stands for none."""
    module, _, name = path.rpartition(".")
    if not module:
        return None
    found = getattr(importlib.import_module(module), name, None)
    return found if inspect.isclass(found) else None


def fault(path: str) -> str:
    """Say why no part can be made of what a dotted name stands for; empty if one can.

    Empty as well for a name of nothing: that is told as such.
    """
    module, _, name = path.rpartition(".")
    if not module:
        return ""
    if module == "__main__":
        return "is in the program itself, which runs do not see; move it into a file of its own"
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # anybody's module may raise anything
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            return ""
        return f"module {module} cannot be imported ({type(error).__name__}: {error})"
    if found is None:
        return ""
    if not inspect.isclass(found):
        return f"is not a class but of type {type(found).__name__}"
    lacking = sorted(getattr(found, "__abstractmethods__", ()))
    return f"is an abstract class, which lacks {', '.join(lacking)}" if lacking else ""


def absence(path: str) -> str:
    """Say what is not there of a dotted name that stands for nothing."""
    module, _, name = path.rpartition(".")
    try:
        there = vars(importlib.import_module(module))
    except ImportError:
        return f"there is no module {module}, in the current folder or among those installed"
    kinds = (one for one, value in there.items() if inspect.isclass(value))
    return f"module {module} has no class {name}; {nearest(name, kinds)}"


def refuse_faults(config: Any, key: str = "") -> None:
    """Look at all that a checked configuration names.

    Abstract classes pass until they are to be made, and functions that say what they return.

    Raises:
        ValueError: for one that no part can be made of.
    """
    if isinstance(config, Mapping):
        if isinstance(path := config.get("class_path"), str):
            if why := fault(path):
                raise ValueError(f"{key}={path}: {why}; allowed: a class that can be made")
            if why := misplaced(key, named_class(path)):
                raise ValueError(f"{key}={path}: {why}; `moebench list` says what may stand here")
        for name, value in config.items():
            refuse_faults(value, f"{key}.{name}".lstrip("."))
    elif isinstance(config, list | tuple):
        for number, value in enumerate(config):
            refuse_faults(value, f"{key}.{number}")
    elif inspect.isroutine(config):
        path = f"{config.__module__}.{config.__name__}"
        raise ValueError(
            f"{key}={path}: is not a class but of type function; allowed: a class_path"
        )
