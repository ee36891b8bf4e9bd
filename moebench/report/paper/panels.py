"""Which figures the page of a paper has: effects by unit, curves by group, load by arm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from moebench.report.paper import figures, runs
from moebench.report.paper.forest import drawn_of, forest
from moebench.report.paper.load_table import load_table, mean_loads
from moebench.report.paper.runs import Band, Run
from moebench.report.theme import Stroke
from moebench.verdict import Verdict

BESIDE = 6  # effects in the figure beside the first words: more reach beyond the first screen
OTHER, ALL = "Other arms", "All arms"
BY_STEPS, BY_TIME = "training steps", "seconds of training"  # axes of curves


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


def forests(verdicts: Sequence[Verdict]) -> tuple[Markup | None, list[Markup]]:
    """Return the figure beside the first words, and the others: one a unit.

    Beside stands the unit that most statements of the paper have, without controls; it stands below
    as well only where it has more effects than find room beside.

    Args:
        verdicts: on all claims; those without an interval are not drawn.
    """
    units = drawn_of(verdicts)
    if not units:
        return None, []
    ours = {unit: [one for one in of if one.of_paper] for unit, of in units.items()}
    lead = max(units, key=lambda unit: (len(ours[unit]), len(units[unit])))
    beside = (ours[lead] or units[lead])[:BESIDE]
    below = [unit for unit, of in units.items() if unit != lead or len(of) > len(beside)]
    return (
        forest(beside, lead, "first words"),
        [forest(units[unit], unit) for unit in below],
    )


def grouped(groups: Mapping[str, Sequence[str]], found: Iterable[Run]) -> dict[str, Sequence[str]]:
    """Return the groups, and one more for trained arms that are in none.

    The points of a search are left out: there are many, and the search has a report of its own.
    """
    known = {arm for group in groups.values() for arm in group}
    others = dict.fromkeys(run.record.arm for run in found if run.trained)
    rest = [arm for arm in others if arm not in known and not runs.search_of(arm)]
    return {**groups, **({OTHER if groups else ALL: rest} if rest else {})}


def curves(
    bands: Mapping[str, Band],
    groups: Mapping[str, Sequence[str]],
    strokes: Mapping[str, Stroke],
    quantity: str,
    axes: Sequence[str],
) -> list[Panel]:
    """Return the figures of every group that has something to show, one an axis.

    One arm alone is drawn over the first axis only: over another it would be the same curve again.
    So would be a group whose curves are all in the figure of another group, which is left out.
    """
    panels = []
    shown_in = {title: {arm for arm in arms if arm in bands} for title, arms in groups.items()}
    for title, arms in groups.items():
        if _repeats(title, shown_in):
            continue
        ours = {arm: bands[arm] for arm in arms if arm in bands}
        keys = [Key(arm, strokes[arm], float(b.mean[-1]), b.seeds) for arm, b in ours.items()]
        shown = axes if len(ours) > 1 else axes[: len(ours)]
        charts = [figures.curves(ours, strokes, axis, quantity, title) for axis in shown]
        if charts:
            panels.append(Panel(title, charts, sorted(keys, key=lambda key: key.end)))
    return panels


def _repeats(title: str, shown_in: Mapping[str, set[str]]) -> bool:
    """Say whether another group has all curves of this one, and more or the same before it."""
    ours, before = shown_in[title], True
    for other, theirs in shown_in.items():
        if other == title:
            before = False
        elif ours < theirs or (before and ours == theirs):
            return True
    return False


def load_maps(found: Sequence[Run]) -> list[tuple[str, int, Markup]]:
    """Return arm, seed and load map of one run an arm."""
    return [
        (arm, run.record.seed, figures.load_map(runs.load_maps(run), arm))
        for arm, run in runs.representative(found).items()
    ]


def load_over_training(found: Sequence[Run], groups: Mapping[str, Sequence[str]]) -> Markup | None:
    """Return the table of loads that records keep; None if none of them keeps any."""
    arms = [arm for group in grouped(groups, found).values() for arm in group]
    loads = mean_loads([run.record for run in found], arms)
    return load_table(loads) if loads else None
