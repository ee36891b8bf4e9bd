"""A figure that belongs to one paper: drawn by its reproduction, shown on the page."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """Charts with a title and what they show; a chart is what `moebench.report.theme` makes."""

    title: str
    caption: str
    charts: Sequence[str]
