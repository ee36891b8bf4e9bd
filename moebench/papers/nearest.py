"""Suggestions for an unknown name: the known names nearest to it."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

SHOWN = 3
FEW = 6  # so few names are all listed if none is near


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the known names nearest to an unknown one, or else some or all of them, in words.

    Args:
        name: what the user wrote; in YAML it may be a number.
        known: the names that exist.
    """
    names = list(dict.fromkeys(known))
    by_lower = {one.lower(): one for one in names}
    if near := get_close_matches(str(name).lower(), by_lower, n=SHOWN):
        return f"the nearest: {', '.join(by_lower[one] for one in near)}"
    if len(names) <= FEW:
        return f"one of {', '.join(names)}" if names else "there are none"
    return f"none is near it; there are {len(names)}, such as {', '.join(names[:SHOWN])}"


def all_known(given: Iterable[object], known: Iterable[str], place: str = "") -> None:
    """Check that there are no unknown names among those given.

    Args:
        given: what the user wrote.
        known: the names that exist.
        place: what precedes a name in the message, such as `space.` or `baselines=`.

    Raises:
        ValueError: for the first one that is unknown; names the nearest ones.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise ValueError(f"{place}{name}: unknown; {nearest(name, names)}")


def no_such_file(path: Path) -> str:
    """Say that a file is missing, and which files of its kind have the nearest names."""
    names = sorted(one.name for one in path.parent.glob(f"*{path.suffix or '.yaml'}"))
    return f"no such file; {nearest(path.name, names)}" if names else "no such file"
