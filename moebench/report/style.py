"""The style of all pages and pictures; to read it needs no template library."""

from functools import cache
from importlib.resources import files


@cache
def css() -> str:
    """Return the text of the style sheet."""
    return (files("moebench.report") / "report.css").read_text(encoding="utf-8")
