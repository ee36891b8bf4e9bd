"""A comparison of mixtures with dense models as text, Markdown, CSV and one HTML page."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from moebench.comparison import EQUAL, NAMES, Comparison, Pair
from moebench.evidence.record_files import write_whole
from moebench.report import formatting
from moebench.report import tables as columns
from moebench.report.comparison.figures import gains
from moebench.report.html import rendered
from moebench.report.paper.markdown import escaped
from moebench.report.paper.markdown import table as markdown
from moebench.report.paper.text_overlap import overlap_told, overlaps
from moebench.statistics import Interval
from moebench.verdict.marks import footnote, leaks_of, marked

HEAD = ("mixture", "dense model", "equal in", "n", "difference", "at equal time", "steps", "time")
MORE = ("mixture's", "dense model's", "FLOPs x", "parameters x", "time a step x")
NOTES = (
    "difference: {metric} after as many tokens, mixture less dense; negative favours the mixture",
    "at equal time: valid/loss when the faster of the two had ended, mixture less dense",
    "steps, time: how many times sooner the mixture reaches the final loss of the dense model",
    "means over n common seeds with 95% intervals; no times where machines differ",
)
SHOWN = 20  # pairs of a target and profile on a terminal
DRAWN = 40  # pairs in a figure


def comparison_text(comparison: Comparison) -> str:
    """Return the tables for a terminal, the best pairs of every target and profile."""
    notes = [note.format(metric=comparison.metric) for note in NOTES]
    lines = [line for note in notes for line in columns.wrapped(note)]
    for title, pairs in _titled(comparison):
        rows = [cells(pair) for pair in pairs[:SHOWN]]
        lines += ["", title, *columns.table(HEAD, rows, "lllr", keys=2)]
        if len(pairs) > SHOWN:
            lines.append(f"and {len(pairs) - SHOWN} more pairs")
        lines += [line for note in _footnotes(pairs) for line in columns.wrapped(note)]
    if comparison.refusals:
        lines += ["", "not compared"]
        shown = comparison.refusals[:SHOWN]
        refused = [(f"{r.target} {r.profile}", r.arm, r.why) for r in shown]
        lines += columns.table((), refused, keys=2)
        if len(comparison.refusals) > SHOWN:
            lines.append(f"and {len(comparison.refusals) - SHOWN} more")
    return "\n".join(lines)


def write_comparison(comparison: Comparison, folder: Path, origin: str) -> list[Path]:
    """Write `compare.csv`, `compare.md` and `compare.html`; return their paths.

    Args:
        comparison: what was found.
        folder: made if missing.
        origin: where the runs came from, for a sentence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "compare.csv": comparison_csv(comparison),
        "compare.md": comparison_markdown(comparison, origin),
        "compare.html": comparison_page(comparison, origin),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def comparison_csv(comparison: Comparison) -> str:
    """Return every pair with all digits; empty cells where nothing is known."""
    effects = ("difference", "difference_at_equal_time", "steps_ratio", "time_ratio")
    head = ["target", "profile", "mixture", "dense", "equal_in", "metric", "n", "never_reached"]
    head += ["mixture_mean", "dense_mean", *(f"{cost}_ratio" for cost in EQUAL)]
    head += [f"{effect}{end}" for effect in effects for end in ("", "_low", "_high")]
    head += ["leaks"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for pair in (pair for pairs in comparison.groups.values() for pair in pairs):
        intervals: list[Interval] = [getattr(pair, effect) for effect in effects]
        ends = [value for found in intervals for value in _ends(found)]
        equal = " ".join(NAMES[cost] for cost in pair.equal)
        named = [
            pair.target,
            pair.profile,
            pair.mixture.arm,
            pair.dense.arm,
            equal,
            comparison.metric,
        ]
        ratios = [pair.ratios.get(cost, "") for cost in EQUAL]
        leaks = leaks_of(pair.mixture.runs.values())
        writer.writerow([*named, pair.difference.n, pair.never, *pair.ends, *ratios, *ends, leaks])
    return text.getvalue()


def comparison_markdown(comparison: Comparison, origin: str) -> str:
    """Return the tables as Markdown."""
    blocks = ["# Mixtures against dense models", f"{origin}."]
    blocks.append("\n".join(f"* {note.format(metric=comparison.metric)}" for note in NOTES))
    align = "lllr" + "r" * (len(HEAD) - 4 + len(MORE))
    for title, pairs in _titled(comparison):
        rows = [(*cells(pair), *more(pair)) for pair in pairs]
        blocks += [f"## {title}", markdown((*HEAD, *MORE), rows, align)]
        blocks += [f"{escaped(note)}." for note in _footnotes(pairs)]
    if comparison.refusals:
        rows = [(r.target, r.profile, r.arm, r.why) for r in comparison.refusals]
        blocks += ["## Not compared", markdown(("target", "profile", "arm", "why"), rows, "llll")]
    return "\n\n".join(blocks) + "\n"


def comparison_page(comparison: Comparison, origin: str) -> str:
    """Return one self-contained page."""
    groups = [
        {
            "title": title,
            "rows": [(*cells(pair), *more(pair)) for pair in pairs],
            "figure": gains(pairs[:DRAWN], title),
            "drawn": min(DRAWN, len(pairs)),
            "footnotes": _footnotes(pairs),
        }
        for title, pairs in _titled(comparison)
    ]
    return rendered(
        "comparison/page.html",
        comparison=comparison,
        origin=origin,
        notes=[note.format(metric=comparison.metric) for note in NOTES],
        head=(*HEAD, *MORE),
        groups=groups,
        refusals=comparison.refusals,
    )


def cells(pair: Pair) -> tuple[str, ...]:
    """Return the cells of a pair, by `HEAD`."""
    bound = "≤ " if pair.never else ""
    missed = [f"not {NAMES[c]} as planned (×{pair.ratios[c]:.3g})" for c in pair.missed]
    return (
        *(marked(side.arm, leaks_of(side.runs.values())) for side in (pair.mixture, pair.dense)),
        ", ".join([*(NAMES[cost] for cost in pair.equal), *missed]),
        str(pair.difference.n),
        _shown(pair.difference, "+"),
        _shown(pair.difference_at_equal_time, "+"),
        bound + _shown(pair.steps_ratio) if pair.steps_ratio.n else "–",
        bound + _shown(pair.time_ratio) if pair.time_ratio.n else "–",
    )


def more(pair: Pair) -> tuple[str, ...]:
    """Return the further cells of the files, by `MORE`."""
    means = (formatting.digits(value, 5) for value in pair.ends)
    ratios = (
        formatting.digits(pair.ratios[cost]) if cost in pair.ratios else "–" for cost in EQUAL
    )
    return (*means, *ratios)


def _footnotes(pairs: Sequence[Pair]) -> list[str]:
    """Return what the mark of arms means, and how far the splits of the data overlap."""
    sides = [side for pair in pairs for side in (pair.mixture, pair.dense)]
    records = [record for side in sides for record in side.runs.values()]
    notes = footnote(record.leaks for record in records), overlap_told(overlaps(records))
    return [note for note in notes if note]


def _titled(comparison: Comparison) -> Iterator[tuple[str, Sequence[Pair]]]:
    """Yield `<target> <profile>` with its pairs."""
    for names, pairs in comparison.groups.items():
        yield " ".join(names), pairs


def _ends(found: Interval) -> list[float | str]:
    """Return estimate, low and high; empty text for what is not known."""
    known = [found.estimate] if found.n else [""]
    return [*known, *((found.low, found.high) if found.n > 1 else ("", ""))]


def _shown(found: Interval, sign: str = "-") -> str:
    """Return an estimate with its interval, where there is one."""
    if not found.n:
        return "–"
    if found.n == 1:
        return formatting.number(found.estimate, 3, sign)
    places = max(2, formatting.decimals((found.high - found.low) / 2))
    low, high = (formatting.number(end, places, sign) for end in (found.low, found.high))
    return f"{formatting.number(found.estimate, places, sign)} [{low}, {high}]"
