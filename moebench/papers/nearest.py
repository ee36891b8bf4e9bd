"""What to answer to a name that nobody knows: the nearest of those that there are."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

SHOWN = 3
FEW = 6  # names that are listed where none is near


def nearest(name: object, known: Iterable[str]) -> str:
    """Say which of the known names a wrong one comes nearest to, or else which there are.

    Args:
        name: what somebody wrote; in YAML it may be a number.
        known: the names that there are.
    """
    names = list(dict.fromkeys(known))
    by_lower = {one.lower(): one for one in names}
    if near := get_close_matches(str(name).lower(), by_lower, n=SHOWN):
        return f"the nearest: {', '.join(by_lower[one] for one in near)}"
    if len(names) <= FEW:
        return f"one of {', '.join(names)}" if names else "there is none"
    return f"none is near it; there are {len(names)}, such as {', '.join(names[:SHOWN])}"


def no_such_file(path: Path) -> str:
    """Say that a file is missing, and which files of its kind come nearest to it."""
    names = sorted(one.name for one in path.parent.glob(f"*{path.suffix or '.yaml'}"))
    return f"no such file; {nearest(path.name, names)}" if names else "no such file"
