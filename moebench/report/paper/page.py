"""The page: what it shows, in which order; `report.html` and `report.css` say how."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from moebench.papers.claim import JUDGED, NOT_JUDGED, OF_CONTROLS, Claim, Paper, units
from moebench.papers.plan import PaperTable
from moebench.report import formatting
from moebench.report.html import rendered
from moebench.report.paper import figures, runs
from moebench.report.paper.costs import HEAD, NO_COSTS, cost_rows, flagged
from moebench.report.paper.drawing import Drawing
from moebench.report.paper.runs import Band, Run
from moebench.report.paper.text_overlap import overlap_told, overlaps
from moebench.report.theme import Stroke
from moebench.verdict import Verdict
from moebench.verdict.marks import footnote, marked
from moebench.verdict.remarks import TIMES, Footnotes, few_values_note, printed_p, remarks

SHOWN = 4  # load maps shown; the others are folded away
OTHER = "Other arms"
BY_STEPS, BY_TIME = "training steps", "seconds in training steps"  # axes of curves
CALLED: Mapping[str, Any] = {  # by the template
    "WORDS": (*JUDGED, *NOT_JUDGED, *OF_CONTROLS),
    "TIMES": TIMES,
    "remarks": remarks,
    "printed_p": printed_p,
    "units": units,
    "flagged": flagged,
    "marked": marked,
    "footnote": footnote,
    "cost_head": HEAD,
    "no_costs": NO_COSTS,
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


@dataclass(frozen=True)
class Key:
    """A line of a legend."""

    arm: str
    stroke: Stroke
    end: float  # mean over the seeds at the last point
    seeds: int


@dataclass(frozen=True)
class Panel:
    """Figures of one group of arms, with the legend they share."""

    title: str
    charts: Sequence[Markup]
    legend: Sequence[Key]


def page(
    folder: Path,
    paper: Paper,
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    groups: Mapping[str, Sequence[str]],
    drawings: Sequence[Drawing],
    tables: Sequence[PaperTable] = (),
    notices: Sequence[str] = (),
) -> str:
    """Return the page as HTML; see `moebench.report.render`."""
    found = runs.load(folder)
    entries = _entries(claims, verdicts)
    arms = _grouped(groups, found)
    names = _distinct(arm for group in arms.values() for arm in group)
    strokes = {arm: Stroke(index) for index, arm in enumerate(names)}
    losses = runs.bands(found, runs.losses)
    dropped = runs.bands(found, lambda run: runs.logged(run, "route/dropped"))
    return rendered(
        "paper/page.html",
        **CALLED,
        paper=paper,
        setting=setting(found),
        entries=entries,
        notes=Footnotes(),
        few=few_values_note(entry.verdict for entry in entries),
        count=Counter(entry.verdict.verdict for entry in entries if entry.verdict.of_paper),
        forests=_forests(entries),
        drawings=drawings,
        tables=tables,
        notices=notices,
        losses=_panels(losses, arms, strokes, "validation loss", (BY_STEPS, BY_TIME)),
        searches=_distinct(runs.search_of(run.record.arm) or "" for run in found),
        maps=_maps(found),
        shown=SHOWN,
        dropped=_panels(dropped, arms, strokes, "share of assignments dropped", (BY_STEPS,)),
        costs=cost_rows(run.record for run in found),
        leaks=footnote(run.record.leaks for run in found),
        unfinished=[run.record for run in found if run.record.status != "finished"],
    )


def _maps(found: Sequence[Run]) -> list[tuple[str, int, Markup]]:
    """Return arm, seed and load map of one run an arm."""
    return [
        (arm, run.record.seed, figures.load_map(runs.load_maps(run), arm))
        for arm, run in runs.representative(found).items()
    ]


def _entries(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Entry]:
    """Pair every claim with its verdict."""
    by_claim = {verdict.claim: verdict for verdict in verdicts}
    if missing := [claim.key for claim in claims if claim.key not in by_claim]:
        raise ValueError(f"claims={', '.join(missing)}: no verdict; judge all claims of the paper")
    return [Entry(claim, by_claim[claim.key]) for claim in claims]


def _grouped(groups: Mapping[str, Sequence[str]], found: Iterable[Run]) -> dict[str, Sequence[str]]:
    """Return the groups, and one more for trained arms that are in none.

    The points of a search are left out: there are many, and the search has a report of its own.
    """
    known = {arm for group in groups.values() for arm in group}
    others = dict.fromkeys(run.record.arm for run in found if run.trained)
    rest = [arm for arm in others if arm not in known and not runs.search_of(arm)]
    return {**groups, **({OTHER: rest} if rest else {})}


def setting(found: Sequence[Run]) -> dict[str, Any]:
    """Return what was run on which machines, for the paragraph at the top."""
    records = [run.record for run in found if run.record.steps or run.record.status != "finished"]
    times = [line["time"] for run in found for line in run.history if "time" in line]
    days = [datetime.fromtimestamp(time, UTC).date().isoformat() for time in times]
    return {
        "profiles": _distinct(run.record.profile for run in found),
        "runs": len(records),
        "arms": len({record.arm for record in records}),
        "finished": sum(record.status == "finished" for record in records),
        "machines": _distinct(_machine(run.record.hardware) for run in found),
        "versions": _distinct(
            ", ".join(f"{name} {version}" for name, version in run.record.versions.items())
            for run in found
        ),
        "data": _distinct(record.data_hash for record in records),
        "overlap": overlap_told(overlaps(records)),
        "commits": _distinct(run.record.commit for run in found),
        "days": sorted({min(days), max(days)}) if days else [],
        "seconds": sum(record.seconds for record in records),
    }


def _distinct(values: Iterable[str]) -> list[str]:
    """Return the values that are not empty, each once, in their order."""
    return [value for value in dict.fromkeys(values) if value]


def _machine(hardware: Mapping[str, str | int]) -> str:
    """Return a machine in words, its processor or accelerator by name."""
    names = [str(hardware[key]) for key in ("accelerator", "processor") if hardware.get(key)]
    counts = [
        formatting.plural(int(hardware[key]), noun)
        for key, noun in (("cores", "core"), ("threads", "thread"))
        if hardware.get(key)
    ]
    return ", ".join([*names, *counts])


def _forests(entries: Sequence[Entry]) -> list[Markup]:
    """Return one forest plot a unit, of the effects that have an interval."""
    units: dict[str, list[figures.Effect]] = {}
    for entry in entries:
        verdict = entry.verdict
        if verdict.low is not None and verdict.high is not None and verdict.low < verdict.high:
            test = entry.claim.test
            margin = test.margin if test and test.unit == verdict.unit else 0.0
            units.setdefault(verdict.unit, []).append(figures.Effect(verdict, margin))
    return [figures.forest(effects, unit) for unit, effects in units.items()]


def _panels(
    bands: Mapping[str, Band],
    groups: Mapping[str, Sequence[str]],
    strokes: Mapping[str, Stroke],
    quantity: str,
    axes: Sequence[str],
) -> list[Panel]:
    """Return the figures of every group that has something to show, one an axis."""
    panels = []
    for title, arms in groups.items():
        ours = {arm: bands[arm] for arm in arms if arm in bands}
        keys = [Key(arm, strokes[arm], float(b.mean[-1]), b.seeds) for arm, b in ours.items()]
        charts = [figures.curves(ours, strokes, axis, quantity, title) for axis in axes if ours]
        if charts:
            panels.append(Panel(title, charts, sorted(keys, key=lambda key: key.end)))
    return panels
