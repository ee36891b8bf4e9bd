"""How the verdict on one claim came about, in numbers that anyone can reproduce."""

from pathlib import Path

from moebench.cli.explain.case import Case
from moebench.cli.explain.cost_tables import costs
from moebench.cli.explain.numbers import controls, numbers
from moebench.cli.explain.origin import checks, origin
from moebench.cli.explain.paragraphs import arms, statement
from moebench.cli.explain.values import values
from moebench.cli.lookup import judged, kept, kept_if_any
from moebench.papers import Target, left_out, target, targets
from moebench.papers.nearest import nearest

__all__ = ["explain", "explained", "told"]


def explain(key: str, profile: str, root: Path, everything: bool = False) -> str:
    """Return all there is to say about the claim of that id.

    Args:
        key: such as SW21-03, in capitals or not.
        profile: whose records count; empty: the committed ones.
        root: folder of all runs.
        everything: each value of very many runs, too.

    Raises:
        ValueError: if no paper has such a claim; says which are nearest.
        FileNotFoundError: if there are no records to judge it by.
    """
    for found in targets():
        for claim in found.claims:
            if claim.key.lower() == key.lower():
                return explained(found, claim.key, profile, root, everything)
    known = nearest(key, [claim.key for found in targets() for claim in found.claims])
    lost = "".join(f"; {folder} is left out: {why}" for folder, why in left_out().items())
    raise ValueError(f"claim={key}: unknown; {known}{lost}")


def explained(found: Target, key: str, profile: str, root: Path, everything: bool) -> str:
    """Return all there is to say about a claim of a paper, as text."""
    [claim] = [claim for claim in found.claims if claim.key == key]
    runs = target(claim.runs_of) if claim.runs_of else found
    used = (kept if claim.test else kept_if_any)(runs, profile, root)
    own = used if runs is found else kept_if_any(found, profile, root)
    verdicts = judged(found, own._replace(profile=used.profile), profile, root)
    by_key = {verdict.claim: verdict for verdict in verdicts}
    return told(Case(found, claim, by_key, runs, used, everything))


def told(case: Case) -> str:
    """Return all there is to say, part by part, as wide as the terminal is."""
    parts = [statement, arms, costs, values, numbers, controls, origin, checks]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := part(case)))
