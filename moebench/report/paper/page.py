"""The page: what it shows, in which order; `page.html` and `report.css` say how."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.papers.claim import JUDGED, NOT_JUDGED, OF_CONTROLS, Claim, Paper, units
from moebench.papers.dispute import Dispute
from moebench.papers.plan import PaperTable
from moebench.report.html import rendered
from moebench.report.paper import forest, load_table, panels, runs
from moebench.report.paper.costs import HEAD, NO_COSTS, cost_rows, flagged
from moebench.report.paper.disputes import HEAD as DISPUTE_HEAD
from moebench.report.paper.disputes import told
from moebench.report.paper.drawing import Drawing
from moebench.report.paper.opening import beside_counts, opening
from moebench.report.paper.panels import BY_STEPS, BY_TIME
from moebench.report.paper.runs import Run
from moebench.report.paper.setting import distinct, setting
from moebench.report.theme import Stroke
from moebench.verdict import Verdict
from moebench.verdict.marks import footnote, marked
from moebench.verdict.remarks import TIMES, Footnotes, few_values_note, judged, printed_p, remarks

SHOWN = 4  # load maps shown; the others are folded away
LOSS, NATS = "valid/loss", "nats"
CALLED: Mapping[str, Any] = {  # by the template
    "WORDS": (*JUDGED, *NOT_JUDGED, *OF_CONTROLS),
    "NOT_JUDGED": NOT_JUDGED,
    "TIMES": TIMES,
    "remarks": remarks,
    "printed_p": printed_p,
    "units": units,
    "flagged": flagged,
    "marked": marked,
    "footnote": footnote,
    "cost_head": HEAD,
    "effects_caption": forest.CAPTION,
    "load_caption": load_table.CAPTION,
    "no_costs": NO_COSTS,
    "dispute_head": DISPUTE_HEAD,
    "shown": SHOWN,
}


@dataclass(frozen=True)
class Entry:
    """A claim beside its verdict."""

    claim: Claim
    verdict: Verdict

    @property
    def part(self) -> str:
        """Its section of the page: judged, beside (controls and additions) or skipped."""
        if self.verdict.verdict in NOT_JUDGED:
            return "skipped"
        return "judged" if self.verdict.of_paper else "beside"

    @property
    def leaks(self) -> tuple[str, ...]:
        """What its arms leak."""
        return tuple(self.verdict.leaks.values())

    @property
    def notes(self) -> list[str]:
        """Names of the figures that the test added to what it measured of the arms."""
        names = dict.fromkeys(
            name for figures in self.verdict.measured.values() for name in figures
        )
        return [name for name in names if name not in ("mean", "sd", "n", "failed")]


def page(
    folder: Path,
    paper: Paper,
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    groups: Mapping[str, Sequence[str]],
    drawings: Sequence[Drawing],
    tables: Sequence[PaperTable] = (),
    notices: Sequence[str] = (),
    disputes: Sequence[Dispute] = (),
) -> str:
    """Return the page as HTML; see `moebench.report.render`."""
    found = runs.load(folder)
    entries = _entries(claims, verdicts)
    beside, forests = panels.forests([entry.verdict for entry in entries])
    records = [run.record for run in found]
    of_paper = judged(verdicts)
    return rendered(
        "paper/page.html",
        **CALLED,
        **_curves(found, groups, _unit(claims)),
        paper=paper,
        setting=setting(found),
        opening=(beside_counts if of_paper else opening)(verdicts, records),
        judged_count=len(of_paper),
        beside=beside,
        forests=forests,
        entries=entries,
        notes=Footnotes(),
        few=few_values_note(entry.verdict for entry in entries),
        count=Counter(entry.verdict.verdict for entry in entries if entry.verdict.of_paper),
        drawings=drawings,
        tables=tables,
        notices=notices,
        disputes=told(disputes, verdicts),
        maps=panels.load_maps(found),
        load_table=panels.load_over_training(found, groups),
        **_told_of(records),
    )


def _told_of(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Return what the page says of the records alone."""
    return {
        "searches": distinct(runs.search_of(record.arm) or "" for record in records),
        "costs": cost_rows(records),
        "leaks": footnote(record.leaks for record in records),
        "unfinished": _unfinished(records),
    }


def _unfinished(records: Iterable[RunRecord]) -> list[tuple[str, int, str, int]]:
    """Return arm, seed, status and steps of every run that did not finish."""
    lost = [one for one in records if one.status != "finished"]
    return [(one.arm, one.seed, one.status.replace("_", " "), one.steps) for one in lost]


def _unit(claims: Iterable[Claim]) -> str:
    """Return the unit of the loss, as the claims about it have it; empty where there is none."""
    tests = [claim.test for claim in claims if claim.test]
    about = {test.unit for test in tests if test.metric.partition("@")[0] == LOSS}
    return f" ({NATS})" if NATS in about else ""


def _curves(
    found: Sequence[Run], groups: Mapping[str, Sequence[str]], unit: str
) -> Mapping[str, Any]:
    """Return the curves of loss and of dropped assignments, in one stroke an arm."""
    arms = panels.grouped(groups, found)
    names = distinct(arm for group in arms.values() for arm in group)
    strokes = {arm: Stroke(index) for index, arm in enumerate(names)}
    losses = runs.bands(found, runs.losses)
    dropped = runs.bands(found, lambda run: runs.logged(run, "route/dropped"))
    some = {arm: band for arm, band in dropped.items() if band.high.any()}
    return {
        "losses": panels.curves(
            losses, arms, strokes, f"validation loss{unit}", (BY_STEPS, BY_TIME)
        ),
        "dropped": panels.curves(some, arms, strokes, "share of assignments dropped", (BY_STEPS,)),
        "without_drops": [arm for arm in dropped if arm not in some],
    }


def _entries(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Entry]:
    """Pair every claim with its verdict."""
    by_claim = {verdict.claim: verdict for verdict in verdicts}
    if missing := [claim.key for claim in claims if claim.key not in by_claim]:
        raise ValueError(f"claims={', '.join(missing)}: no verdict; judge all claims of the paper")
    return [Entry(claim, by_claim[claim.key]) for claim in claims]
