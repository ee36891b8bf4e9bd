"""The experiments around one: a search reads thousands that differ in a few numbers only.

To read a configuration takes a third of a second, nearly all of it for keys that stay as they are.
So only what may change the shape of the configuration is read with the files; a number, a boolean
or null that stands where there was one before is checked by the type of its own argument.
"""

import functools
import inspect
import json
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jsonargparse import ArgumentParser

from moebench.experiment import Experiment, as_arguments, checked, load
from moebench.experiment.classes import named_class
from moebench.experiment.lightning_cli import LINKED
from moebench.experiment.listed_keys import step_in, value_at, whole_lists
from moebench.experiment.refusals import GROUPS, one_line_errors

KEPT = 64  # configurations read with the files, of those that differ in more than numbers
Pair = tuple[str, Any]  # dotted key, value


class Argument(NamedTuple):
    """The argument of a part that a key belongs to.

    Args:
        part: dotted name of the innermost class around the key.
        path: where the argument is in the configuration.
        inside: where the key is in the argument; empty if it is the argument itself.
    """

    part: str
    path: Sequence[str]
    inside: Sequence[str]


class Variations:
    """The experiments that differ from one in some keys.

    Args:
        configs: files of the experiment, as of `load`.
        settings: keys and values that override the files, as of `load`.
    """

    def __init__(self, configs: Sequence[Path], settings: Mapping[str, object]) -> None:
        self._configs = configs
        self._settings = settings
        self._read = functools.lru_cache(maxsize=KEPT)(self._load)

    @property
    def base(self) -> Experiment:
        """The experiment itself."""
        return self._read("{}")

    def at(self, pairs: Sequence[Pair]) -> Experiment:
        """Return the experiment with other values, each the same as `load` would read it.

        Args:
            pairs: dotted keys and their values, later ones over earlier ones; a number in a key is
                an index into a list.

        Raises:
            ConfigurationError: as `load`.
            ValueError: for a key into a list that the experiment does not have.
        """
        plain = [pair for pair in pairs if _is_plain(pair[1])]
        rest = [pair for pair in pairs if not _is_plain(pair[1])]
        if not any(_overlap(key, other) for key, _ in plain for other, _ in rest):
            found = self._with(rest)
            for key, value in plain:
                found = found and _changed(found, key, value)
            if found is not None:
                return found
        return self._with(pairs)

    def _with(self, pairs: Sequence[Pair]) -> Experiment:
        """Return the experiment with other values, read with its files."""
        return self._read(json.dumps(whole_lists(pairs, self.base.config), default=str))

    def _load(self, settings: str) -> Experiment:
        return load(self._configs, {**self._settings, **json.loads(settings)})


def _is_plain(value: object) -> bool:
    """Say whether a value can stand for nothing but itself; a text may name a class."""
    return value is None or isinstance(value, bool | int | float)


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _changed(experiment: Experiment, key: str, value: object) -> Experiment | None:
    """Return an experiment with another plain value; None where only `load` can tell."""
    config = experiment.config
    try:
        argument = _argument_of(config, key)
        if argument is None or not _is_plain(value_at(config, key.split("."), key)):
            return None
        whole = _replaced(value_at(config, argument.path, key), argument.inside, value)
        return checked(_replaced(config, argument.path, _read(argument, whole)))
    except (ArgumentError, ValueError, TypeError):
        return None  # `load` says in which file it is wrong


def _argument_of(config: Mapping[str, Any], key: str) -> Argument | None:
    """Return the argument that a key belongs to; None if it belongs to none, or to several.

    Raises:
        ValueError: if the configuration lacks the key.
    """
    path = key.split(".")
    part, start = GROUPS.get(path[0], ""), 1  # where the arguments of the innermost class begin
    for depth in range(1, len(path)):
        around = value_at(config, path[:depth], key)
        if isinstance(around, Mapping) and "class_path" in around:
            part, start = around["class_path"], depth + 1
    if not part or key in LINKED or len(path) <= start:
        return None
    return Argument(part, path[: start + 1], path[start + 1 :])


def _read(argument: Argument, value: object) -> Any:
    """Return a value of an argument as `load` reads it."""
    name = argument.path[-1]
    with one_line_errors():
        parsed = _parser(argument.part, name).parse_args(as_arguments({name: value}))
    return json.loads(json.dumps(parsed.as_dict()[name], default=str))


@functools.cache
def _parser(part: str, argument: str) -> ArgumentParser:
    """Return a parser of one argument of a class."""
    made = named_class(part)
    others = set(inspect.signature(made).parameters) - {argument}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(made, skip=others, fail_untyped=False)
    return parser


def _replaced(content: Any, path: Sequence[str], value: Any) -> Any:
    """Return content with something else at a path; all that is beside it is shared."""
    if not path:
        return value
    step: Any = step_in(content, path[0], path[0])
    copied = content.copy()
    copied[step] = _replaced(content[step], path[1:], value)
    return copied
