"""Finds the papers: every folder in `reproductions` with a `paper.py`.

A folder that fails to load is reported in one line and left out; the others still work.
"""

import importlib
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from moebench.papers.checks import check, check_against_others, check_headline
from moebench.papers.dispute import Dispute, check_cells
from moebench.papers.home import CONFIGS, PACKAGE
from moebench.papers.nearest import nearest
from moebench.papers.target import Target

_log = logging.getLogger(__name__)


def targets() -> Sequence[Target]:
    """Return all papers, ordered by year."""
    return _found(_roots())[0]


def left_out() -> dict[str, str]:
    """Return folder -> reason for each folder that looks like a paper but fails to load."""
    return dict(_found(_roots())[1])


def target(name: str) -> Target:
    """Return the target with that name or folder.

    Raises:
        ValueError: if there is none; names the nearest, and those that do not load.
    """
    for one in targets():
        if name in (one.name, one.folder):
            return one
    known = nearest(name, [one.name for one in targets()])
    failed = "".join(f"; {folder} is left out: {why}" for folder, why in left_out().items())
    raise ValueError(f"target={name}: unknown; {known}{failed}")


def folder_of(name: str) -> str:
    """Return the folder of the target with that name, or the name itself if there is none."""
    return next((one.folder for one in targets() if one.name == name), name)


def claims_on(found: Target, arm: str) -> dict[str, int]:
    """Return key -> version of all claims that the runs of an arm judge, also of other papers.

    For a sweep, these are the claims that any of its points judges.
    """
    of_others = [
        claim
        for one in targets()
        for claim in one.claims
        if one.folder != found.folder and claim.runs_of == found.name
    ]
    of_its_own = [claim for claim in found.claims if not claim.runs_of]
    return {
        claim.key: claim.version
        for claim in [*of_its_own, *of_others]
        if any(arm in (one, one.partition("/")[0]) for one in claim.arms)
    }


def _roots() -> tuple[Path, ...]:
    """Return the folders that hold papers."""
    return tuple(Path(path) for path in importlib.import_module(PACKAGE).__path__)


@cache  # so that a process warns once
def _found(roots: tuple[Path, ...]) -> tuple[Sequence[Target], dict[str, str]]:
    """Return the papers under these folders, and folder -> reason for those left out."""
    loaded: list[Target] = []
    failed: dict[str, str] = {}
    for folder in _folders(roots):
        try:
            loaded.append(_load(folder))
        except Exception as error:  # one broken paper must not break the others
            failed[folder.name] = _one_line(error)
    ordered = sorted(loaded, key=lambda one: (one.paper.year, one.paper.order, one.folder))
    kept: list[Target] = []
    for one in ordered:
        try:
            check_against_others(one, kept, [] if failed else ordered)
            kept.append(one)
        except ValueError as error:
            failed[one.folder] = _one_line(error)
    for name, why in failed.items():
        _log.warning("%s/%s is left out: %s", PACKAGE, name, why)
    return kept, failed


def _folders(roots: Sequence[Path]) -> Iterator[Path]:
    """Yield every folder that looks like a paper."""
    for root in roots:
        for path in sorted(root.glob("*/paper.py")):
            yield path.parent


def _load(folder: Path) -> Target:
    """Return the paper in a folder."""
    paper = importlib.import_module(f"{PACKAGE}.{folder.name}.paper")
    plan = importlib.import_module(f"{PACKAGE}.{folder.name}.plan")
    if paper.PAPER.key != folder.name:
        raise ValueError(f"PAPER.key={paper.PAPER.key}: must equal the name of the folder")
    check(paper.CLAIMS, plan.PLAN)
    check_headline(paper.PAPER, paper.CLAIMS)
    disputes: Sequence[Dispute] = getattr(paper, "DISPUTES", ())
    check_cells(disputes, paper.CLAIMS)
    return Target(
        paper=paper.PAPER,
        claims=paper.CLAIMS,
        plan=plan.PLAN,
        configs=folder.parents[1] / CONFIGS / folder.name,
        evidence=folder / "results.jsonl",
        disputes=disputes,
    )


def _one_line(error: Exception) -> str:
    """Return an error in one line; a ValueError needs no type name."""
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())
