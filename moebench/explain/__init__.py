"""How the verdict on one claim came about, in numbers that anybody can make again."""

from pathlib import Path

from moebench.claims import Claim
from moebench.explain.case import Case
from moebench.explain.runs import checks, costs, origin, values
from moebench.explain.words import arms, controls, numbers, statement
from moebench.lookup import Kept, kept, nearest
from moebench.records import RunRecord
from moebench.targets import FOLDERS, Target, target
from moebench.verdict import judge

__all__ = ["explain", "explained"]


def explain(key: str, profile: str, root: Path) -> str:
    """Return all there is to say about the claim of that id.

    Args:
        key: such as SW21-03.
        profile: whose records count; empty: the committed ones.
        root: folder of all runs.

    Raises:
        ValueError: if no paper has such a claim; says which are nearest.
        FileNotFoundError: if there are no records to judge it by.
    """
    papers, broken = _papers()
    for found in papers.values():
        if any(claim.key == key for claim in found.claims):
            return explained(found, key, profile, root)
    known = nearest(key, [claim.key for found in papers.values() for claim in found.claims])
    left_out = f"; left out, for they cannot be imported: {', '.join(broken)}" if broken else ""
    raise ValueError(f"claim={key}: unknown; {known}{left_out}")


def _papers() -> tuple[dict[str, Target], list[str]]:
    """Return the papers, and the names of those that cannot be imported."""
    papers, broken = {}, []
    for name in FOLDERS:
        try:
            papers[name] = target(name)
        except Exception as error:  # whatever a paper's own modules raise
            broken.append(f"{name} ({type(error).__name__}: {error})")
    return papers, broken


def explained(found: Target, key: str, profile: str, root: Path) -> str:
    """Return all there is to say about a claim of a paper, as text."""
    [claim] = [claim for claim in found.claims if claim.key == key]
    own = _records(found, claim, profile, root)
    others = {
        name: _records(target(name), claim, profile, root)
        for name in {claim.runs_of for claim in found.claims} - {"", found.name}
    }
    elsewhere: dict[str, list[RunRecord]] = {name: one.records for name, one in others.items()}
    used = others.get(claim.runs_of, own)
    verdicts = judge(found.claims, own.records, used.profile, elsewhere)
    by_key = {verdict.claim: verdict for verdict in verdicts}
    runs = target(claim.runs_of) if claim.runs_of else found
    case = Case(found, claim, by_key, runs, used)
    parts = [statement, arms, costs, values, numbers, controls, origin, checks]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := part(case)))


def _records(found: Target, claim: Claim, profile: str, root: Path) -> Kept:
    """Return the records of a target; none, where the claim can do without."""
    try:
        return kept(found, profile, root)
    except FileNotFoundError:
        if claim.test is not None and (claim.runs_of or found.name) == found.name:
            raise
        return Kept([], found.evidence, profile)
