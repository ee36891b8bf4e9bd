"""What the runs of a profile would cost and could decide, as a table; nothing needs torch."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from moebench.cli.lookup import RESULTS, Kept, kept
from moebench.cli.plan_cost import cost_lines
from moebench.cli.provenance import notices
from moebench.evidence.record_files import read
from moebench.papers import Target
from moebench.papers.plan import Profile
from moebench.report.formatting import plural
from moebench.report.sheets import FORMATS, Sheet
from moebench.report.tables import table, wrapped
from moebench.verdict.sizing import Sizing, size

PILOTS = "-pilots"  # added to the name of a profile, whose seeds judge and are not these
UNKNOWN = "?"
ANSWER = {True: "yes", False: "no", None: UNKNOWN}
HEAD = ("claim", "seeds", "decides", "seeds needed", "counts", "decidable", "pairs", "unit")
ALIGN = "lrlrrrrl"


def plan_text(found: Target, profile: Profile, root: Path, form: str = "") -> str:
    """Return what a profile decides, what it costs, and what it leaves out.

    Args:
        found: the paper.
        profile: whose runs are planned.
        root: folder of all runs.
        form: csv, markdown or latex, for the table of claims alone.

    Raises:
        FileNotFoundError: if there are no runs that tell how far seeds lie apart.
    """
    earlier = earlier_runs(found, profile, root)
    sizings = [
        size(claim, found.plan, profile, earlier.records)
        for claim in found.claims
        if claim.trained and not claim.runs_of and _runs_all(found, profile, claim.arms)
    ]
    sheet = Sheet(HEAD, [_row(one) for one in sizings], ALIGN)
    if form:
        return FORMATS[form](sheet).rstrip()
    told = [
        *_summary(found, profile, sizings),
        f"Spreads and times are those of {plural(len(earlier.records), 'run')} in {earlier.path}"
        f" ({earlier.profile}).",
        *notices(found, earlier.records),
    ]
    lines = [line for sentence in told for line in wrapped(sentence)]
    lines += ["", *table(sheet.head, sheet.rows, ALIGN)]
    unknown = [(one.claim.key, one.unknown) for one in sizings if one.unknown]
    lines += ["", "not sized:", *table((), unknown, indent=2)] if unknown else []
    return "\n".join([*lines, "", *cost_lines(found, profile, earlier.records)])


def earlier_runs(found: Target, profile: Profile, root: Path) -> Kept:
    """Return the runs that tell spreads and times.

    They are the pilots of the profile, else its runs under `root`, else the committed ones.
    """
    pilots = pilots_folder(found, profile, root) / RESULTS
    if pilots.exists():
        return Kept(read(pilots), pilots, pilots.parent.name)
    try:
        return kept(found, profile.name, root)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{found.name} {profile.name}: no runs that tell how far seeds lie apart; `moebench "
            f"plan {found.name} --profile {profile.name} --pilots 3` makes some that judge nothing"
        ) from error


def pilots_folder(found: Target, profile: Profile, root: Path) -> Path:
    """Return the folder of the pilots of a profile."""
    return root / found.folder / f"{profile.name}{PILOTS}"


def _runs_all(found: Target, profile: Profile, arms: Sequence[str]) -> bool:
    return all(found.plan.runs(profile, arm) for arm in arms)


def _row(one: Sizing) -> list[str]:
    """Return the cells of a claim."""
    lead = one.lead
    margin = f"{lead.margin:.3g}" if lead and lead.margin else UNKNOWN
    decidable = f"{one.detectable:.3g}" if isfinite(one.detectable) else UNKNOWN
    needed = UNKNOWN if one.needed is None else str(one.needed)
    pairs = lead.effect.n if lead else 0
    cells = (one.claim.key, one.seeds, ANSWER[one.enough], needed, margin, decidable, pairs)
    return [*map(str, cells), lead.unit if lead else ""]


def _summary(found: Target, profile: Profile, sizings: Sequence[Sizing]) -> list[str]:
    """Return the sentences that open the page."""
    enough = [one for one in sizings if one.enough]
    few = [one.claim.key for one in sizings if one.enough is False]
    told = [
        f"{found.name} {profile.name}: the seeds that are planned decide {len(enough)} of"
        f" {plural(len(sizings), 'claim')} judged from training with 80% power, before the"
        " correction for judging many. What has no effect is then refuted, and what has one and a"
        " half times the smallest that counts is borne out."
    ]
    if few:
        told.append(f"Too few seeds for {', '.join(few)}.")
    out = [
        claim.key
        for claim in found.claims
        if claim.trained and not claim.runs_of and not _runs_all(found, profile, claim.arms)
    ]
    return [*told, f"Left out of {profile.name}: {', '.join(out)}."] if out else told
