"""Entries of a sweep file; errors name the key and the value."""

from collections.abc import Mapping, Sequence
from typing import Any

from moebench.papers.nearest import nearest
from moebench.papers.plan import MatchedOn

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


def baselines_of(value: object) -> Sequence[MatchedOn]:
    """Return the costs that baselines match."""
    if not isinstance(value, list):
        raise ValueError(f"baselines={value}: expected a list of {', '.join(MATCHED)}")
    for name in value:
        if name not in MATCHED:
            raise ValueError(f"baselines={name}: unknown; {nearest(name, MATCHED)}")
    return [matched for matched in MATCHED if matched in value]
