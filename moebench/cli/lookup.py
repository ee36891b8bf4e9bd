"""Whose records a person means: the committed ones of a paper, or those of a folder of runs."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import Target

RESULTS = "results.jsonl"
MOST = 12  # names that are listed


class Kept(NamedTuple):
    """Records of one profile, and the file that they are in."""

    records: list[RunRecord]
    path: Path
    profile: str


def kept(found: Target, profile: str, root: Path) -> Kept:
    """Return the records of a target.

    Args:
        found: the target.
        profile: empty: that of the committed records. Else those of the folder of runs count, and
            the committed ones where it has none of that profile.
        root: folder of all runs.

    Raises:
        FileNotFoundError: if there are none; says where it looked.
        ValueError: for an unknown profile, or a file that cannot be read.
    """
    if profile:
        own = root / found.folder / found.plan.profile(profile).name / RESULTS
        if own.exists():
            return Kept([one for one in read(own) if one.profile == profile], own, profile)
    committed = read(found.evidence) if found.evidence.exists() else []
    profiles = sorted({record.profile for record in committed})
    if not profile and len(profiles) == 1:
        return Kept(committed, found.evidence, profiles[0])
    records = [record for record in committed if record.profile == profile]
    if not records:
        looked = f"{own} and " if profile else ""
        ways = f"`{found.command()}` makes records, and `--profile` says whose to take"
        raise FileNotFoundError(f"{looked}{found.evidence}: no such records; {ways}")
    return Kept(records, found.evidence, profile)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of the known names a wrong one comes nearest to, or else which there are."""
    names = list(dict.fromkeys(known))
    by_lower = {one.lower(): one for one in names}
    if near := get_close_matches(name.lower(), by_lower, n=3):
        return f"the nearest: {', '.join(by_lower[one] for one in near)}"
    if len(names) > MOST:
        return f"none is near it; there are {len(names)}, such as {', '.join(names[:MOST])}"
    return f"there are {', '.join(names)}" if names else "there is none"
