"""Describes the changes from one map to another."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(old: Any, new: Any) -> list[str]:
    """Return one line per change, such as `space.factor.low: 1.0 is now 0.5`."""
    return list(_walk(json.loads(json.dumps(old)), json.loads(json.dumps(new)), ""))


def _walk(old: Any, new: Any, place: str) -> Iterator[str]:
    """Yield the changes below one key."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            inside = f"{place}.{key}" if place else key
            if key not in new:
                yield f"{inside} is gone"
            elif key not in old:
                yield f"{inside} is new"
            else:
                yield from _walk(old[key], new[key], inside)
    elif old != new:
        yield f"{place}: {json.dumps(old)} is now {json.dumps(new)}"
