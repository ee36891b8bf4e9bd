"""Entries of a sweep file; errors name the key and the value."""

from collections.abc import Mapping, Sequence
from typing import Any

from moebench.papers.nearest import nearest
from moebench.papers.plan import MatchedOn
from moebench.sweeps.space import Dimension, Point

DIRECTIONS = ("minimize", "maximize")
MATCHED: tuple[MatchedOn, ...] = ("active_flops", "total_params", "step_time")


def map_of(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a map from the file; empty if it has none."""
    value = content.get(key) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{key}={value}: expected keys and values")
    return value


def count_of(
    content: Mapping[str, Any], key: str, default: int, least: int, most: int = 10**5
) -> int:
    """Return a whole number from the file."""
    value = content.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{key}={value}: expected a whole number from {least} to {most}")
    return value


def objectives_of(value: object) -> Mapping[str, str]:
    """Return the objectives with their directions."""
    if not isinstance(value, Mapping):
        raise ValueError(f"objectives={value}: expected metrics and directions")
    for name, direction in value.items():
        if direction not in DIRECTIONS:
            allowed = " or ".join(DIRECTIONS)
            raise ValueError(f"objectives.{name}={direction}: expected {allowed}")
    return dict(value)


def constraints_of(content: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the largest values that a trial may have."""
    found = map_of(content, "constraints")
    for name, most in found.items():
        if isinstance(most, bool) or not isinstance(most, int | float):
            raise ValueError(f"constraints.{name}={most}: expected a number, the largest allowed")
    return found


def first_points(content: Mapping[str, Any], space: Sequence[Dimension]) -> Sequence[Point]:
    """Return the points to begin with; the sampler chooses the values that they lack."""
    listed = content.get("enqueue") or []
    if not isinstance(listed, list) or not all(isinstance(point, Mapping) for point in listed):
        raise ValueError(f"enqueue={listed}: expected a list of points")
    known = {dimension.name: dimension for dimension in space}
    found = []
    for number, point in enumerate(listed):
        if unknown := set(point) - set(known):
            raise ValueError(f"enqueue.{number}.{min(unknown)}: {nearest(min(unknown), known)}")
        try:
            found.append({name: known[name].read(value) for name, value in point.items()})
        except ValueError as error:
            raise ValueError(f"enqueue.{number}: {error}") from None
    return found


def baselines_of(value: object) -> Sequence[MatchedOn]:
    """Return the costs that baselines match."""
    if not isinstance(value, list):
        raise ValueError(f"baselines={value}: expected a list of {', '.join(MATCHED)}")
    for name in value:
        if name not in MATCHED:
            raise ValueError(f"baselines={name}: unknown; {nearest(name, MATCHED)}")
    return [matched for matched in MATCHED if matched in value]


def surface_of(content: Mapping[str, Any], space: Sequence[Dimension]) -> Sequence[str]:
    """Return the two names for the heat map; by default the first two."""
    names = [dimension.name for dimension in space]
    chosen = content.get("surface", names[:2])
    if not isinstance(chosen, list) or (chosen != names[:2] and len(chosen) != 2):
        raise ValueError(f"surface={chosen}: expected two names of the space")
    for name in chosen:
        if name not in names:
            raise ValueError(f"surface={name}: not in the space; {nearest(name, names)}")
    return chosen
