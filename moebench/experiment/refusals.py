"""Errors of jsonargparse and of parts, reduced to one line that the user can act on."""

import importlib
import inspect
import logging
import re
import warnings
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args

from moebench.experiment.classes import why_missing, why_unusable
from moebench.experiment.part_registry import FAMILIES, family_at
from moebench.moe.contract import CONTRACT
from moebench.papers.nearest import nearest
from moebench.papers.yaml_files import ConfigurationError

CHATTER = (  # loggers with messages about seeds, devices and products at every build
    "lightning_fabric.utilities.seed",
    "pytorch_lightning.utilities.rank_zero",
)
REFUSED = r"Option '([^']+)' is not accepted|unrecognized arguments: --([^\s=]+)\S*"
UNKNOWN_NAME = (
    r"Expected a dot import path string: (\S+?)\.?(?=\s|$)"
    r"|(?:has no attribute|No module named) '([^']+)'"
)
CLASS = r"([A-Za-z_]\w*(?:\.\w+)+)"
CLASS_NAMED = rf"(?:G(?:ot|iven) value: |val='|class_path'?[=:] ?'){CLASS}"
NO_PART = rf"Expected '{CLASS}' to be a (?:function that returns|subclass of) <class '(\w+)'>"
INCOMPLETE = rf"(the following arguments are required: .*?)\. Got value: .*?class_path='{CLASS}'"
UNCALLABLE = r"(\w+)\.__init__\(\) takes \d+ positional arguments? but \d+ were given"
FIRST = {"router": "dim", "experts": "dim, num_experts"}  # what a model gives a part by position
KIND = r"Expected an? <class '([\w.]+)'>\.?"
KINDS = {
    **{"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"},
    **{"list": "a list", "dict": "keys and values"},
}
LINKED = {"data.seed": "seed_everything"}  # key that nobody sets -> the one that sets it
TOP = ("config", "data", "model", "seed_everything", "trainer")
GROUPS = {"model": "moebench.training.module.Training", "trainer": "pytorch_lightning.Trainer"}
NOISE = (  # beginnings of the lines of a report that do not give the reason
    "Does not validate",
    "Errors:",
    "Expected a <class 'NoneType'>",
    "Given value",
    "Parser key",
    "Problem",
    "Subtypes",
)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what jsonargparse and the parts raise into a ConfigurationError of one line."""
    for name in CHATTER:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="jsonargparse|lightning_|pytorch_lightning")
            warnings.filterwarnings("ignore", message=".*LightningCLI's args parameter.*")
            yield
    except ConfigurationError:
        raise
    except (ArgumentError, ValueError, TypeError, FileNotFoundError, ImportError) as error:
        raise ConfigurationError(explain(str(error))) from error


def explain(message: str) -> str:
    """Return jsonargparse's report in one line: key, value, reason and what is allowed.

    The report is nested, one level for each part within a part: the chain of "Parser key" lines is
    the key, and the innermost message is the reason.
    """
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    key = LINKED.get(key, key)
    value = re.search(r"Given value: (?!Namespace|NestedArg)(.{1,60})$", message, re.MULTILINE)
    place = f"{key}={value[1]}" if key and value else key
    refused = re.search(REFUSED, message)
    unknown = re.search(UNKNOWN_NAME, message)
    if refused:
        if key == "data" and (refused[1] or "").partition(".")[0] == "source":
            part = _part(message, refused).rpartition(".")[2] or "the data module"
            return f"data.source: {part} trains on no text, so --data does not apply"
        part = _part(message, refused)
        if part and refused[1] in _arguments(part):
            first = FIRST.get(key.rpartition(".")[2], "what the model gives it")
            return f"{key}={part}: __init__ lacks {first} before {refused[1]}, see {CONTRACT}"
        near = _nearest_option(key, message, refused)
        return f"{key}: {refused[0].rstrip('.')}; {near}".removeprefix(": ")
    if wrong := _wrong_class(message):
        name, why = wrong
        return f"{key}={name}: {why}; allowed: a class_path, or a name of `moebench list`".lstrip(
            "="
        )
    if found := re.search(INCOMPLETE, message):
        return f"{key}={found[2]}: {found[1]}; allowed: {', '.join(_arguments(found[2]))}"
    if found := re.search(UNCALLABLE, message):
        given = "; ".join(f"{kind}: {names}" for kind, names in FIRST.items())
        return f"{found[1]}: __init__ lacks what a model gives first ({given}), see {CONTRACT}"
    if unknown:
        return f"{key}: {_unknown(unknown[1] or unknown[2], key, message)}"
    lines = [re.sub(r"\s*Got value: .*|^\s*(?:-\s+)?", "", line) for line in message.splitlines()]
    useful = [
        re.sub(r"^Type \S+\[.*?\] expects a function or a callable class: ", "", line)
        for line in lines
        if line and not line.startswith(NOISE)
    ]
    reason = useful[-1] if useful else message
    reason = re.sub(KIND, lambda found: f"expected {KINDS.get(found[1], found[1])}", reason)
    own_key = re.match(r"[\w.]+=", reason)
    return reason if own_key or not place or key in reason else f"{place}: {reason}"


def _nearest_option(key: str, report: str, refused: re.Match[str]) -> str:
    """Suggest the options nearest to the one that was refused, or say where all are listed."""
    *places, name = (refused[1] or refused[2]).split(".")
    group = ".".join([key, *places]).strip(".")
    if not key and places and places[0] not in TOP:
        return nearest(places[0], TOP)
    known: Sequence[str] = () if group else TOP
    if part := _part(report, refused):
        known = _arguments(part, places)
    elif group in GROUPS:
        known = _arguments(GROUPS[group])
    return nearest(name, known) if known else "see `moebench fit --help`"


def _part(report: str, refused: re.Match[str]) -> str:
    """Return the class of the part whose option was refused; "" if the report does not name it.

    The report names it before the error, or after it in the same line.
    """
    behind = re.match(r"\.? Got value: .*?class_path='([\w.]+)'", report[refused.end() :])
    before = re.findall(r"Problem with given class_path '([\w.]+)'", report[: refused.start()])
    return behind[1] if behind else (before or [""])[-1]


def _arguments(path: str, inside: Sequence[str] = ()) -> list[str]:
    """Return the names of the arguments that a class takes.

    Args:
        path: dotted name of the class.
        inside: arguments to descend through, each an argument of the one before; the result is for
            the class of the last.
    """
    module, _, name = path.rpartition(".")
    part: Any = getattr(importlib.import_module(module), name)
    for place in inside:
        argument = inspect.signature(part).parameters.get(place)
        kind = argument.annotation if argument else None
        classes = [option for option in (kind, *get_args(kind)) if inspect.isclass(option)]
        if not classes:
            return []
        part = classes[0]
    return list(inspect.signature(part).parameters)


def _unknown(name: str, key: str, report: str) -> str:
    """Say that a name does not exist, and which ones come nearest to it.

    Args:
        name: the part of a `class_path` that was not found, or a short name.
        key: its key in the configuration.
        report: jsonargparse's report, which contains the whole `class_path`.
    """
    for path in re.findall(CLASS_NAMED, report):
        if f".{path}.".find(f".{name}.") >= 0:
            return why_missing(path)
    near = nearest(name, _names(key))
    return f"no class or module is called {name}; {near}; `moebench list` shows all"


def _wrong_class(report: str) -> tuple[str, str] | None:
    """Return the name of an unusable class in a report, and the reason; None if there is none."""
    for name in re.findall(CLASS_NAMED, report):
        if why := why_unusable(name):
            return name, why
    no_part = re.search(NO_PART, report)
    return (no_part[1], f"is not a {no_part[2]}") if no_part else None


def _names(key: str) -> list[str]:
    """Return the short names of the parts for a key; of all parts if the key is of no family."""
    name = family_at(key)
    families = [FAMILIES[name]] if name else [*FAMILIES.values()]
    return sorted(part.__name__ for family in families for part in family.values())
