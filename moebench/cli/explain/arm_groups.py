"""Arms of the same files, which are described together where a claim has very many."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from moebench.papers.plan import Plan

MANY = 8  # arms; up to so many each has a row of its own


class Family(NamedTuple):
    """Arms that differ in settings alone; a single one is a family of its own."""

    name: str
    arms: tuple[str, ...]


def families(arms: Sequence[str], plan: Plan) -> list[Family]:
    """Return the arms in the groups that they are described in."""
    if len(arms) <= MANY:
        return [Family(arm, (arm,)) for arm in arms]
    files = {arm.name: tuple(arm.configs) for arm in plan.arms if not arm.twin_of}
    groups: dict[object, list[str]] = {}
    for arm in arms:
        groups.setdefault(files.get(arm, arm), []).append(arm)
    return [Family(pattern(group), tuple(group)) for group in groups.values()]


def pattern(names: Sequence[str]) -> str:
    """Return what several names have in common, with a star for the rest; a single one as it is."""
    if len(names) == 1:
        return names[0]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    same = "".join(letters[0] for letters in alike)
    return f"{re.sub(r'[^._/]+$', '', same) or same}*"


def listed(values: Sequence[str]) -> str:
    """Return values once each as a list, or the first and the last of very many."""
    once = list(dict.fromkeys(values))
    if len(once) > MANY // 2:
        return f"{once[0]} ... {once[-1]} ({len(once)} in all)"
    return " or ".join(filter(None, [", ".join(once[:-1]), once[-1]]))
