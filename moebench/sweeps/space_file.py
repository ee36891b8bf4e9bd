"""Reads a search space from a sweep file."""

import itertools
from collections.abc import Mapping
from typing import Any

from moebench.papers.nearest import all_known
from moebench.sweeps.space import Dimension, Value

KEYS = ("key", "values", "choices", "low", "high", "log", "step")
FORMS = "{key, values}, {key, choices} or {key, low, high, log, step}"


def read_space(content: object, key: str = "space") -> list[Dimension]:
    """Return the space described under a key of a sweep file.

    Raises:
        ValueError: for anything invalid; names key, value and what is allowed.
    """
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"{key}: expected a map from names to {FORMS}")
    space = [_read(f"{key}.{name}", str(name), entry) for name, entry in content.items()]
    for one, other in itertools.combinations(space, 2):
        for mine, theirs in itertools.product(one.all_keys, other.all_keys):
            if f"{theirs}.".startswith(f"{mine}.") or f"{mine}.".startswith(f"{theirs}."):
                raise ValueError(f"{key}.{other.name}: {key}.{one.name} also sets {theirs}")
    return space


def _read(place: str, name: str, entry: object) -> Dimension:
    """Return one dimension of a sweep file."""
    if not isinstance(entry, Mapping) or "key" not in entry:
        raise ValueError(f"{place}: expected {FORMS}")
    all_known(entry, KEYS, f"{place}.")
    ranged = "low" in entry or "high" in entry
    if ("values" in entry) + ("choices" in entry) + ranged != 1:
        raise ValueError(f"{place}: needs either values, choices, or low and high")
    keys = entry["key"] if isinstance(entry["key"], list) else [entry["key"]]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise ValueError(f"{place}.key={entry['key']}: expected a configuration key, or a list")
    rest = {key: value for key, value in entry.items() if key != "key"}
    if ranged:
        _check_range(place, entry)
    elif more := {"log", "step"} & set(entry):
        raise ValueError(f"{place}.{min(more)}: only for a range, but the values are listed")
    else:
        rest["values"] = _listed(place, entry)
    try:
        return Dimension(name, tuple(keys), **rest)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _check_range(place: str, entry: Mapping[str, Any]) -> None:
    """Refuse a range that is not made of numbers."""
    ends = [entry.get(end) for end in ("low", "high")]
    step = entry.get("step")
    named = {"low": ends[0], "high": ends[1], **({} if step is None else {"step": step})}
    for name, value in named.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{place}.{name}={value}: expected a number")
    if not isinstance(entry.get("log", False), bool):
        raise ValueError(f"{place}.log={entry['log']}: expected true or false")
    if isinstance(step, float) and all(isinstance(end, int) for end in ends):
        raise ValueError(
            f"{place}.step={step}: this is a range of whole numbers; write {ends[0]}.0"
        )


def _listed(place: str, entry: Mapping[str, Any]) -> tuple[Value, ...]:
    """Return the listed values of an entry, or the names of its choices."""
    if "values" in entry:
        if not isinstance(entry["values"], list) or not entry["values"]:
            raise ValueError(f"{place}.values={entry['values']}: expected a list of one or more")
        return tuple(_plain(f"{place}.values", value) for value in entry["values"])
    choices = entry["choices"]
    if not isinstance(choices, Mapping) or not choices:
        raise ValueError(f"{place}.choices={choices}: expected a map from values to keys below key")
    for value, below in choices.items():
        if not isinstance(below, Mapping) or not below:
            raise ValueError(f"{place}.choices.{value}={below}: expected keys below key and values")
    return tuple(_plain(f"{place}.choices", value) for value in choices)


def _plain(place: str, value: object) -> Value:
    """Return a listed value, which must be a number, a string, a boolean or null."""
    if not isinstance(value, Value):
        raise ValueError(f"{place}: {value} is not a number, a string, a boolean or null")
    return value
