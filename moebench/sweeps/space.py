"""A search space: names, the configuration keys behind them, and the values they may take."""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna

from moebench.papers.nearest import nearest

Value = bool | int | float | str
Point = Mapping[str, Value]  # name -> value


@dataclass(frozen=True)
class Dimension:
    """One thing that varies: listed values, choices of several keys at once, or a range.

    Args:
        name: its name in tables and plots.
        keys: dotted configuration keys that take the value, all the same one; a number in a key
            is a place in a list, as in `model.losses.0.weight`.
        values: the listed values; empty for a range.
        low: lower end of a range; whole numbers at both ends make a range of whole numbers.
        high: upper end, included.
        log: whether the range is even in the logarithm.
        step: distance between neighbours in a range; None for a continuous one.
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
        """Its listed values, or the two ends of its range."""
        return self.values or (self.low, self.high)

    @property
    def tried(self) -> Sequence[Value]:
        """The values that are tried out before anything is begun.

        Of numbers of one type one is enough, for a configuration is checked by types; options of
        the trainer have bounds there, too.
        """
        if self.choices or any(key.startswith("trainer.") for key in self.keys):
            return self.ends
        return list({v if isinstance(v, str) else type(v): v for v in self.ends}.values())


def identity_of(space: Sequence[Dimension]) -> dict[str, Any]:
    """Return what identifies a space, as JSON."""
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
            raise _lacking(key, part, content)
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
            raise _lacking(key, part, content)
        if last:
            content[place] = value
        else:
            content = content[place]


def _lacking(key: str, part: str, content: Any) -> ValueError:
    """Return what is raised for a part of a key that the configuration does not have there."""
    near = f"; {nearest(part, content)}" if isinstance(content, Mapping) else ""
    return ValueError(f"{key}: not in the configuration; there is no {part}{near}")
