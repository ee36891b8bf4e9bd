"""Reads a search space from a sweep file."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moebench.papers.typed_entry import read_entry
from moebench.sweeps.space import Dimension, Value


@dataclass(frozen=True)
class Described:
    """A dimension as a file describes it: by values, by choices, or by the ends of a range."""

    key: str | Sequence[str]
    values: Sequence[Value] = ()
    choices: Mapping[Value, Mapping[Any, Any]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None


def read_space(content: object, key: str = "space") -> list[Dimension]:
    """Return the space described under a key of a sweep file.

    Raises:
        ValueError: for anything invalid; names key, value and what is allowed.
    """
    entries: Mapping[Any, Described] = read_entry(Mapping[Any, Described], content, key)
    space = [_dimension(str(name), f"{key}.{name}", entry) for name, entry in entries.items()]
    for one, other in itertools.combinations(space, 2):
        for mine, theirs in itertools.product(one.all_keys, other.all_keys):
            if f"{theirs}.".startswith(f"{mine}.") or f"{mine}.".startswith(f"{theirs}."):
                raise ValueError(f"{key}.{other.name}: {key}.{one.name} also sets {theirs}")
    return space


def _dimension(name: str, place: str, entry: Described) -> Dimension:
    """Return the dimension that an entry describes."""
    keys = [entry.key] if isinstance(entry.key, str) else entry.key
    if not keys or not all(keys):
        raise ValueError(f"{place}.key={entry.key}: expected a configuration key, or a list")
    if empty := [value for value, below in entry.choices.items() if not below]:
        raise ValueError(f"{place}.choices.{empty[0]}: expected keys below key, and their values")
    ends = [end for end in (entry.low, entry.high) if end is not None]
    ways = bool(entry.values), bool(entry.choices), bool(ends)
    if sum(ways) != 1 or len(ends) == 1:
        raise ValueError(f"{place}: needs either values, choices, or low and high")
    if not ends and (entry.log or entry.step is not None):
        option = "log" if entry.log else "step"
        raise ValueError(f"{place}.{option}: only for a range, but the values are listed")
    if isinstance(entry.step, float) and all(isinstance(end, int) for end in ends):
        raise ValueError(
            f"{place}.step={entry.step}: this is a range of whole numbers; write {ends[0]}.0"
        )
    try:
        if ends:
            low, high = ends
            return Dimension(name, tuple(keys), low=low, high=high, log=entry.log, step=entry.step)
        listed = tuple(entry.values or entry.choices)
        return Dimension(name, tuple(keys), listed, choices=entry.choices)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
