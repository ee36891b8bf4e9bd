"""A search space: names, their configuration keys, and the values they may take."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Value = bool | int | float | str | None
Point = Mapping[str, Value]  # name -> value


@dataclass(frozen=True)
class Dimension:
    """One thing that varies: listed values, choices of several keys at once, or a range.

    Args:
        name: its name in tables and plots.
        keys: dotted configuration keys that all take the value; a number in a key is an index into
            a list, as in `model.losses.0.weight`.
        values: the listed values; empty for a range.
        low: lower end of a range; if both ends are whole numbers, so are all values.
        high: upper end, included.
        log: whether to sample the range on a log scale.
        step: distance between neighbours in a range; None for a continuous range.
        choices: what each listed value stands for: keys below `keys`, and their values; empty if
            values stand for themselves.

    Raises:
        ValueError: for fields that do not fit together; names them.
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
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"values={list(self.values)}: has a duplicate")
        _ = self.distribution

    @cached_property
    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        if self.values:
            return CategoricalDistribution(self.values)
        if isinstance(self.low, int) and isinstance(self.high, int):
            step = 1 if self.step is None else int(self.step)
            return IntDistribution(self.low, self.high, self.log, step)
        return FloatDistribution(self.low, self.high, self.log, self.step)

    def suggest(self, trial: optuna.Trial) -> Value:
        """Return a trial's value; if it has none yet, its sampler chooses one."""
        name, drawn = self.name, self.distribution
        if isinstance(drawn, IntDistribution):
            whole: int = trial.suggest_int(
                name, drawn.low, drawn.high, step=drawn.step, log=drawn.log
            )
            return whole
        if isinstance(drawn, FloatDistribution):
            number: float = trial.suggest_float(
                name, drawn.low, drawn.high, step=drawn.step, log=drawn.log
            )
            return number
        listed: Value = trial.suggest_categorical(name, self.values)
        return listed

    def read(self, value: object) -> Value:
        """Return a value as trials have it.

        Raises:
            ValueError: if it is none of the dimension's, by Optuna's own check.
        """
        drawn = self.distribution
        try:
            optuna.trial.create_trial(
                params={self.name: value}, distributions={self.name: drawn}, value=0.0
            )
        except ValueError as error:
            raise ValueError(f"{self.name}={value}: not a value of {drawn}") from error
        found: Value = drawn.to_external_repr(drawn.to_internal_repr(value))
        return found

    @property
    def grid(self) -> Sequence[Value]:
        """All values, for a grid.

        Raises:
            ValueError: for a range without steps.
        """
        if self.values:
            return self.values
        step = getattr(self.distribution, "step", None)
        if self.log or step is None:
            raise ValueError(f"space.{self.name}: a grid needs values or a step")
        count = int((self.high - self.low) / step + 1e-9) + 1
        return [self.low + number * step for number in range(count)]

    def settings(self, value: Value) -> Iterator[tuple[str, Any]]:
        """Yield the dotted keys that a value sets, each with what it is set to."""
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
        """The listed values, or the two ends of the range."""
        return self.values or (self.low, self.high)

    @property
    def tried(self) -> Sequence[Value]:
        """The values to try before anything starts.

        One number of each type is enough, because a configuration is checked by type; options of
        the trainer also have bounds, so both ends are tried.
        """
        if self.choices or any(key.startswith("trainer.") for key in self.keys):
            return self.ends
        return list({v if isinstance(v, str) else type(v): v for v in self.ends}.values())


def settings_at(point: Point, space: Sequence[Dimension]) -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys that a point sets, which may lack names, each with its value."""
    for dimension in space:
        if dimension.name in point:
            yield from dimension.settings(point[dimension.name])
