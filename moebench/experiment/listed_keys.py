"""Keys that point into a list, as in `model.losses.0.weight`: a configuration sets whole lists."""

import copy
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moebench.papers.nearest import nearest


def whole_lists(
    settings: Iterable[tuple[str, Any]], config: Mapping[str, Any]
) -> dict[str, object]:
    """Return settings in which a key into a list has become the list with that value changed.

    Args:
        settings: dotted keys and their values, later ones over earlier ones; a number in a key is
            an index.
        config: the configuration that supplies the lists.

    Raises:
        ValueError: for a key into a list that there is not, or that is shorter.
    """
    found: dict[str, object] = {}
    for key, value in settings:
        path = key.split(".")
        head = list(itertools.takewhile(lambda part: not part.isdigit(), path))
        name, inside = ".".join(head), path[len(head) :]
        if not inside:
            found[name] = value
            continue
        if name not in found:
            found[name] = copy.deepcopy(value_at(config, head, key))
        place = value_at(found[name], inside[:-1], key)
        place[step_in(place, inside[-1], key)] = value
    return found


def value_at(content: Any, path: Sequence[str], key: str) -> Any:
    """Return what is at a path.

    Args:
        content: a configuration, or a part of one.
        path: the parts of a key; a number is an index into a list.
        key: the whole key, for messages.

    Raises:
        ValueError: if there is nothing.
    """
    for part in path:
        content = content[step_in(content, part, key)]
    return content


def step_in(content: Any, part: str, key: str) -> str | int:
    """Return by what a part of a key is found in a map or a list."""
    if isinstance(content, list):
        if part.isdigit() and int(part) < len(content):
            return int(part)
        raise ValueError(f"{key}: {part} is not an index into a list of {len(content)}")
    if isinstance(content, Mapping) and part in content:
        return part
    near = f"; {nearest(part, content)}" if isinstance(content, Mapping) else ""
    raise ValueError(f"{key}: not in the configuration; there is no {part}{near}")
