"""Whose records a person means: the committed ones of a paper, or those of a folder of runs."""

from pathlib import Path
from typing import NamedTuple

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import Target, target
from moebench.papers.nearest import nearest
from moebench.verdict import Verdict, judge

RESULTS = "results.jsonl"


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


def recorded(own: Kept, arm: str, seed: int) -> RunRecord:
    """Return the record of a run.

    Raises:
        ValueError: if there is none, or more than one; names the nearest arms, or the seeds.
    """
    of_arm = [record for record in own.records if record.arm == arm]
    if not of_arm:
        known = nearest(arm, sorted({record.arm for record in own.records}))
        raise ValueError(f"arm={arm}: no record in {own.path}; {known}")
    found = [record for record in of_arm if record.seed == seed]
    if not found:
        seeds = ", ".join(str(seed) for seed in sorted({record.seed for record in of_arm}))
        raise ValueError(f"seed={seed}: no record of {arm} in {own.path}; there are {seeds}")
    if len(found) > 1:
        raise ValueError(f"seed={seed}: {own.path} has {len(found)} records of {arm}")
    return found[0]


def kept_if_any(found: Target, profile: str, root: Path) -> Kept:
    """Return the records of a target as `kept` does, none where there are none."""
    try:
        return kept(found, profile, root)
    except FileNotFoundError:
        return Kept([], found.evidence, profile)


def judged(found: Target, own: Kept, profile: str, root: Path) -> list[Verdict]:
    """Return the verdicts on the claims of a paper.

    Args:
        found: the paper.
        own: its records.
        profile: whose records of other papers count, where those judge a claim; as for `kept`.
        root: folder of all runs.
    """
    others = dict.fromkeys(claim.runs_of for claim in found.claims if claim.runs_of)
    elsewhere = {name: kept_if_any(target(name), profile, root).records for name in others}
    return judge(found.claims, own.records, own.profile, elsewhere, found.plan)


def results_in(folder: Path, found: Target) -> Path:
    """Return the file of records in the folder of a profile of a target.

    Raises:
        FileNotFoundError: if there is none, or nothing in it.
    """
    path = folder / RESULTS
    if not path.exists() or not path.read_bytes().strip():
        raise FileNotFoundError(f"{path}: no records; `{found.command(folder.name)}` makes them")
    return path
