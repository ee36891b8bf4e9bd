"""A search space: names, the configuration keys behind them, and the values they may take."""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna

Value = bool | int | float | str
Point = Mapping[str, Value]  # name -> value
KEYS = ("key", "values", "choices", "low", "high", "log", "step")
FORMS = "{key, values}, {key, choices} or {key, low, high, log, step}"


@dataclass(frozen=True)
class Dimension:
    """One thing that varies: listed values, choices of several keys at once, or a range.

    Args:
        name: what tables and plots call it.
        keys: dotted configuration keys that take the value, all the same one; a number in a key
            is a place in a list, as in `model.losses.0.weight`.
        values: the listed values; empty for a range.
        low: lower end of a range; whole numbers at both ends make a range of whole numbers.
        high: upper end, included.
        log: whether the range is even in the logarithm.
        step: distance of neighbours in a range; None: as fine as numbers are.
        choices: what a listed value stands for: keys below `keys`, and what they take; empty where
            a value stands for itself.

    Raises:
        ValueError: naming what does not fit.
    """

    name: str
    keys: Sequence[str]
    values: Sequence[Value] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: Mapping[Value, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values:
            if len(set(self.values)) < len(self.values):
                raise ValueError(f"values={list(self.values)}: one is there twice")
            return
        if self.low > self.high:
            raise ValueError(f"low={self.low}: above high={self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low={self.low}: log needs a low above 0")
        if self.log and self.step is not None:
            raise ValueError(f"step={self.step}: not with log; list the values")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step={self.step}: must be above 0")

    @property
    def whole(self) -> bool:
        """Whether the range is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def suggest(self, trial: optuna.Trial) -> Value:
        """Return the value that a trial has or, if it has none yet, is given by its sampler."""
        if self.values:
            value: Value = trial.suggest_categorical(self.name, self.values)
            return value
        if self.whole:
            step = 1 if self.step is None else int(self.step)
            low, high = int(self.low), int(self.high)
            return int(trial.suggest_int(self.name, low, high, step=step, log=self.log))
        return float(
            trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)
        )

    @property
    def grid(self) -> Sequence[Value]:
        """All values, for a grid.

        Raises:
            ValueError: for a range without steps.
        """
        if self.values:
            return self.values
        if self.log or (self.step is None and not self.whole):
            raise ValueError(f"space.{self.name}: a grid needs values, or a step")
        step = 1 if self.step is None else self.step
        count = int((self.high - self.low) / step + 1e-9) + 1
        return [self.low + number * step for number in range(count)]

    def settings(self, value: Value) -> Iterator[tuple[str, Any]]:
        """Yield the dotted keys that a value stands for, and what each of them takes."""
        for key in self.keys:
            if self.choices:
                below = self.choices[value].items()
                yield from ((f"{key}.{name}", copy.deepcopy(inside)) for name, inside in below)
            else:
                yield key, value

    @property
    def all_keys(self) -> set[str]:
        """The dotted keys that any of its values sets."""
        if not self.choices:
            return set(self.keys)
        return {key for value in self.values for key, _ in self.settings(value)}

    @property
    def ends(self) -> Sequence[Value]:
        """The values that are tried out before anything is begun."""
        return self.values or (self.low, self.high)


def identity_of(space: Sequence[Dimension]) -> dict[str, Any]:
    """Return what tells a space from others; a map of JSON."""
    return {
        dimension.name: {
            "key": ", ".join(dimension.keys),
            **({"values": list(dimension.values)} if dimension.values else {}),
            **({"choices": list(dimension.choices.values())} if dimension.choices else {}),
            **({} if dimension.values else {"low": dimension.low, "high": dimension.high}),
            **({"log": True} if dimension.log else {}),
            **({} if dimension.step is None else {"step": dimension.step}),
        }
        for dimension in space
    }


def read_space(content: object, key: str = "space") -> list[Dimension]:
    """Return the space that a key of a sweep file describes.

    Raises:
        ValueError: naming key, value and what is allowed.
    """
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"{key}: expected a map from names to {FORMS}")
    space = [_read(f"{key}.{name}", str(name), entry) for name, entry in content.items()]
    for one, other in itertools.combinations(space, 2):
        for mine, theirs in itertools.product(one.all_keys, other.all_keys):
            if f"{theirs}.".startswith(f"{mine}.") or f"{mine}.".startswith(f"{theirs}."):
                raise ValueError(f"{key}.{other.name}: {theirs} is set by {key}.{one.name}, too")
    return space


def _read(place: str, name: str, entry: object) -> Dimension:
    """Return one dimension of a sweep file."""
    if not isinstance(entry, Mapping) or "key" not in entry:
        raise ValueError(f"{place}: expected {FORMS}")
    if unknown := set(entry) - set(KEYS):
        raise ValueError(f"{place}.{min(unknown)}: unknown; one of {', '.join(KEYS)}")
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
        raise ValueError(f"{place}.{min(more)}: is of a range, and the values are listed")
    else:
        rest["values"] = _listed(place, entry)
    try:
        return Dimension(name, tuple(keys), **rest)
    except ValueError as error:
        raise ValueError(f"{place}.{error}") from None


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
            f"{place}.step={step}: the range is one of whole numbers; write {ends[0]}.0"
        )


def _listed(place: str, entry: Mapping[str, Any]) -> tuple[Value, ...]:
    """Return the values of an entry that lists them, or the names of its choices."""
    if "values" in entry:
        if not isinstance(entry["values"], list) or not entry["values"]:
            raise ValueError(f"{place}.values={entry['values']}: expected a list")
        return tuple(_plain(f"{place}.values", value) for value in entry["values"])
    choices = entry["choices"]
    if not isinstance(choices, Mapping) or not choices:
        raise ValueError(f"{place}.choices={choices}: expected a map from values to keys below key")
    for value, below in choices.items():
        if not isinstance(below, Mapping) or not below:
            raise ValueError(f"{place}.choices.{value}={below}: expected keys below key and values")
    return tuple(_plain(f"{place}.choices", value) for value in choices)


def _plain(place: str, value: object) -> Value:
    """Return a listed value, which must be a number, a text or a truth value."""
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"{place}: {value} is no number, text or truth value")
    return value


def grid_size(space: Sequence[Dimension]) -> int:
    """Return the number of points of the grid; ValueError where a dimension has none."""
    size = 1
    for dimension in space:
        size *= len(dimension.grid)
    return size


def settings_at(
    point: Point,
    space: Sequence[Dimension],
    config: Mapping[str, Any],
    before: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return configuration keys and values of a point.

    A key that leads into a list becomes the whole list with one value changed.

    Args:
        point: a value a name.
        space: its dimensions.
        config: of the base experiment, where lists are taken from.
        before: settings that these are laid over.

    Raises:
        ValueError: for a place that a list does not have.
    """
    settings: dict[str, object] = copy.deepcopy(dict(before or {}))
    for dimension in space:
        for key, value in dimension.settings(point[dimension.name]):
            path = key.split(".")
            head = list(itertools.takewhile(lambda part: not part.isdigit(), path))
            name, inside = ".".join(head), path[len(head) :]
            if inside:
                settings.setdefault(name, copy.deepcopy(_at(config, head, key)))
                _put(settings[name], inside, value, key)
            else:
                settings[name] = value
    return settings


def _at(content: Any, path: Sequence[str], key: str) -> Any:
    """Return what is at a path of a configuration."""
    for part in path:
        if not isinstance(content, Mapping) or part not in content:
            raise ValueError(f"{key}: not in the configuration; there is no {part}")
        content = content[part]
    return content


def _put(content: Any, path: Sequence[str], value: Any, key: str) -> None:
    """Set a value inside lists and maps."""
    for number, part in enumerate(path):
        last = number == len(path) - 1
        if isinstance(content, list):
            if not part.isdigit() or int(part) >= len(content):
                raise ValueError(f"{key}: {part} is no place in a list of {len(content)}")
            place: Any = int(part)
        elif isinstance(content, dict) and part in content:
            place = part
        else:
            raise ValueError(f"{key}: not in the configuration; there is no {part}")
        if last:
            content[place] = value
        else:
            content = content[place]
