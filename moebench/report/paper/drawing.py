"""Figures of one paper: those that its reproduction draws, and those beside its page."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """Charts with a title and what they show; a chart is what `moebench.report.theme` makes."""

    title: str
    caption: str
    charts: Sequence[str]


@dataclass(frozen=True)
class FigureFile:
    """A figure in a file of its own, beside the page of a paper that shows it."""

    name: str
    svg: str
    told: str  # what a screen reader says
    caption: str  # equal ones are printed once
