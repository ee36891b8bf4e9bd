"""The experiments around one: a search reads thousands that differ in a few numbers only.

To read a configuration takes a third of a second, nearly all of it for keys that stay as they are.
So only what may change the shape of the configuration is read with the files; a number that stands
where there was one before is checked by the type of its own argument, and then all keys together.
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
        try:
            return self._changed(pairs)
        except (ArgumentError, ValueError, TypeError):  # `load` says in which file it is wrong
            return self._with(pairs)

    def _changed(self, pairs: Sequence[Pair]) -> Experiment:
        """Return the experiment with other values, of which numbers are checked by themselves.

        Raises:
            ValueError: for what is wrong, or what only `load` can tell.
        """
        numbers = {key: value for key, value in pairs if isinstance(value, int | float)}
        rest = [pair for pair in pairs if not isinstance(pair[1], int | float)]
        config = dict(self._with(rest).config)
        for key, value in numbers.items():
            if any(_overlap(key, other) for other, _ in rest):
                raise ValueError(f"{key}: depends on the order")
            config = _with_number(config, key, value)
        return checked(config)

    def _with(self, pairs: Sequence[Pair]) -> Experiment:
        """Return the experiment with other values, read with its files."""
        return self._read(json.dumps(whole_lists(pairs, self.base.config), default=str))

    def _load(self, settings: str) -> Experiment:
        return load(self._configs, {**self._settings, **json.loads(settings)})


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _with_number(config: dict[str, Any], key: str, value: float) -> dict[str, Any]:
    """Return a configuration with another number at a key, after a check of its type.

    Raises:
        ValueError: for a value of another type, or where only `load` can tell.
    """
    argument = _argument_of(config, key)
    if not isinstance(value_at(config, key.split("."), key), int | float | None):
        raise ValueError(f"{key}: holds more than a number")
    whole = _replaced(value_at(config, argument.path, key), argument.inside, value)
    changed: dict[str, Any] = _replaced(config, argument.path, _read(argument, whole))
    return changed


def _argument_of(config: Mapping[str, Any], key: str) -> Argument:
    """Return the argument that a key belongs to.

    Raises:
        ValueError: if the configuration lacks the key, or if it belongs to none or to several.
    """
    path = key.split(".")
    part, start = GROUPS.get(path[0], ""), 1  # where the arguments of the innermost class begin
    for depth in range(1, len(path)):
        around = value_at(config, path[:depth], key)
        if isinstance(around, Mapping) and "class_path" in around:
            part, start = around["class_path"], depth + 1
    if not part or key in LINKED or len(path) <= start:
        raise ValueError(f"{key}: is not one argument of a class")
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
    if made is None:
        raise ValueError(f"{part}: is no class")
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
