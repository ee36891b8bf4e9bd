"""The pairs of a comparison as rows of a table, and all of them as one for other programs."""

from moebench.comparison import EQUAL, NAMES, Comparison, Pair
from moebench.report.formatting import interval
from moebench.report.sheets import Sheet
from moebench.statistics import Interval
from moebench.verdict.marks import leaks_of, marked

HEAD = ("mixture", "dense model", "equal in", "n", "difference", "at equal time", "steps", "time")
EFFECTS = ("difference", "difference_at_equal_time", "steps_ratio", "time_ratio")
FULL_HEAD = (
    *("target", "profile", "mixture", "dense", "equal_in", "metric", "n", "never_reached"),
    *("mixture_mean", "dense_mean", *(f"{cost}_ratio" for cost in EQUAL)),
    *(f"{effect}{end}" for effect in EFFECTS for end in ("", "_low", "_high")),
    "leaks",
)


def cells(pair: Pair) -> tuple[str, ...]:
    """Return the cells of a pair, by `HEAD`."""
    bound = "≤ " if pair.never else ""
    missed = [f"not {NAMES[c]} as planned (×{pair.ratios[c]:.3g})" for c in pair.missed]
    return (
        *(marked(side.arm, leaks_of(side.runs.values())) for side in (pair.mixture, pair.dense)),
        ", ".join([*(NAMES[cost] for cost in pair.equal), *missed]),
        str(pair.difference.n),
        interval(pair.difference, "+"),
        interval(pair.difference_at_equal_time, "+"),
        bound + interval(pair.steps_ratio) if pair.steps_ratio.n else "–",
        bound + interval(pair.time_ratio) if pair.time_ratio.n else "–",
    )


def pair_sheet(comparison: Comparison) -> Sheet:
    """Return one row a pair, with empty cells of figures where nothing is known."""
    pairs = [pair for of in comparison.groups.values() for pair in of]
    return Sheet(
        head=("target", "profile", *HEAD),
        rows=[(pair.target, pair.profile, *cells(pair)) for pair in pairs],
        align="lllllrrrrr",
        full_head=FULL_HEAD,
        full_rows=[_figures(pair, comparison.metric) for pair in pairs],
    )


def _figures(pair: Pair, metric: str) -> list[object]:
    """Return all digits of a pair, by `FULL_HEAD`."""
    equal = " ".join(NAMES[cost] for cost in pair.equal)
    named = [pair.target, pair.profile, pair.mixture.arm, pair.dense.arm, equal, metric]
    ratios = [pair.ratios.get(cost, "") for cost in EQUAL]
    ends = [value for effect in EFFECTS for value in _ends(getattr(pair, effect))]
    leaks = leaks_of(pair.mixture.runs.values())
    return [*named, pair.difference.n, pair.never, *pair.ends, *ratios, *ends, leaks]


def _ends(found: Interval) -> list[float | str]:
    """Return estimate, low and high; empty text for what is not known."""
    known = [found.estimate] if found.n else [""]
    return [*known, *((found.low, found.high) if found.n > 1 else ("", ""))]
