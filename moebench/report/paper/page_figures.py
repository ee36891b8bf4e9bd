"""The figures beside the page of a paper, each in a file: effects by unit, load over training."""

import re
from collections.abc import Mapping, Sequence

from moebench.evidence.record import RunRecord
from moebench.report.paper import forest, load_table
from moebench.report.paper.drawing import FigureFile
from moebench.report.paper.panels import load_over_training
from moebench.report.paper.runs import Run
from moebench.report.theme import on_any_page
from moebench.verdict import Verdict


def page_figures(
    verdicts: Sequence[Verdict], records: Sequence[RunRecord], groups: Mapping[str, Sequence[str]]
) -> list[FigureFile]:
    """Return the figures, those with the most effects first: neighbours are about as high.

    Takes what `moebench.report.page_figures` does.
    """
    units = forest.drawn_of(verdicts)
    if len({_word(unit) for unit in units}) < len(units):
        raise ValueError(f"units {', '.join(units)}: two of them would give one file of a figure")
    found = [
        FigureFile(
            f"figure_effects_{_word(unit)}.svg",
            on_any_page(forest.forest(units[unit], unit)),
            f"Effects ({unit}) with their 95% intervals",
            forest.CAPTION,
        )
        for unit in sorted(units, key=lambda unit: -len(units[unit]))
    ]
    load = load_over_training([Run(record) for record in records], groups)
    if load:
        told = "Load of the busiest expert over training"
        found.append(FigureFile("figure_load.svg", on_any_page(load), told, load_table.CAPTION))
    return found


def _word(unit: str) -> str:
    """Return a unit as a part of a file's name."""
    return re.sub(r"\W+", "_", unit)
