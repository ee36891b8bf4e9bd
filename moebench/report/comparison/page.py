"""A comparison of mixtures with dense models as text for a terminal and as one HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from moebench.comparison import EQUAL, Comparison, Pair
from moebench.evidence.record_files import write_whole
from moebench.report import formatting
from moebench.report import tables as columns
from moebench.report.comparison.opening import gain_of, opening
from moebench.report.comparison.pair_sheet import HEAD, cells, pair_sheet
from moebench.report.gain_figure import gain_figure
from moebench.report.html import rendered
from moebench.report.paper.markdown import escaped
from moebench.report.paper.markdown import table as markdown
from moebench.report.paper.text_overlap import overlap_told, overlaps
from moebench.report.sheets import FORMATS, write_sheet
from moebench.verdict.marks import footnote

MORE = ("mixture's", "dense model's", "FLOPs x", "parameters x", "time a step x")
NOTES = (
    "difference: {metric} at equal tokens, mixture minus dense; negative favours the mixture",
    "at equal time: valid/loss when the faster of the two had ended, mixture minus dense",
    "steps, time: how many times sooner the mixture reaches the final loss of the dense model",
    "means over n common seeds with 95% intervals; no times where machines differ",
)
SHOWN = 20  # pairs of a target and profile on a terminal
DRAWN = 40  # pairs in a figure
BESIDE = 8  # pairs in the figure beside the first words


def comparison_text(comparison: Comparison, form: str = "") -> str:
    """Return the first words and the tables for a terminal: the best pairs of every profile.

    Args:
        comparison: what was found.
        form: csv, markdown or latex, for all pairs as another program reads them, and only those.
    """
    if form:
        return FORMATS[form](pair_sheet(comparison)).rstrip()
    lines = [line for told in opening(comparison) for line in columns.wrapped(told)]
    for title, pairs in _titled(comparison):
        rows = [cells(pair) for pair in pairs[:SHOWN]]
        lines += ["", title, *columns.table(HEAD, rows, "lllr", keys=2)]
        if len(pairs) > SHOWN:
            lines.append(f"and {len(pairs) - SHOWN} more pairs")
        lines += [line for note in _footnotes(pairs) for line in columns.wrapped(note)]
    if comparison.groups:
        notes = [note.format(metric=comparison.metric) for note in NOTES]
        lines += ["", *(line for note in notes for line in columns.wrapped(note))]
    if comparison.refusals:
        lines += ["", "not compared"]
        shown = comparison.refusals[:SHOWN]
        refused = [(f"{r.target} {r.profile}", r.arm, r.why) for r in shown]
        lines += columns.table((), refused, keys=2)
        if len(comparison.refusals) > SHOWN:
            lines.append(f"and {len(comparison.refusals) - SHOWN} more")
    return "\n".join(lines)


def write_comparison(comparison: Comparison, folder: Path, origin: str) -> list[Path]:
    """Write `compare.html`, and the tables as `compare.md`, `.csv` and `.tex`; return their paths.

    Args:
        comparison: what was found.
        folder: made if missing.
        origin: where the runs came from, for a sentence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "compare.md": comparison_markdown(comparison, origin),
        "compare.html": comparison_page(comparison, origin),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    sheets = write_sheet(pair_sheet(comparison), folder, "compare", ("csv", "latex"))
    return [*sheets, *(folder / name for name in texts)]


def comparison_markdown(comparison: Comparison, origin: str) -> str:
    """Return first words and tables as Markdown."""
    blocks = ["# Mixtures against dense models", escaped(" ".join(opening(comparison)))]
    blocks += [f"{origin}."]
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
    groups = list(_titled(comparison))
    alone = len(groups) == 1 and len(groups[0][1]) <= BESIDE  # the figure beside shows all of it
    return rendered(
        "comparison/page.html",
        opening=opening(comparison),
        **_beside(comparison),
        origin=origin,
        notes=[note.format(metric=comparison.metric) for note in NOTES],
        head=(*HEAD, *MORE),
        groups=[_group(title, pairs, comparison.metric, not alone) for title, pairs in groups],
        refusals=comparison.refusals,
    )


def _group(title: str, pairs: Sequence[Pair], metric: str, drawn: bool) -> Mapping[str, Any]:
    """Return what the page shows of a target and profile."""
    found = [gain_of(pair, metric) for pair in pairs[:DRAWN]]
    return {
        "title": title,
        "rows": [(*cells(pair), *more(pair)) for pair in pairs],
        "figure": gain_figure(found, title) if drawn else None,
        "drawn": len(found),
        "footnotes": _footnotes(pairs),
    }


def _beside(comparison: Comparison) -> Mapping[str, Any]:
    """Return the figure beside the first words: the best pairs, of each profile if several."""
    groups = list(comparison.groups.values())
    if not groups:
        return {"best": None, "caption": ""}
    several = len(groups) > 1
    pairs = [of[0] for of in groups] if several else groups[0]
    what = "The best pair of each profile" if several else "All pairs"
    if len(pairs) > BESIDE:
        what = f"The best {BESIDE} of {len(pairs)} pairs"
    best = sorted(pairs, key=lambda pair: -pair.gain)[:BESIDE]
    found = [gain_of(pair, comparison.metric) for pair in best]
    caption = f"{what}, mixture minus dense; left of zero the mixture is ahead."
    return {"best": gain_figure(found, "the best pairs"), "caption": caption}


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
