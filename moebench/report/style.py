"""The style of all pages and pictures, which needs neither templates nor figures."""

from functools import cache
from importlib.resources import files


@cache
def css() -> str:
    """Return the style sheet."""
    return (files("moebench.report") / "report.css").read_text(encoding="utf-8")
