"""The style of all pages and pictures, which needs neither templates nor figures."""

import re
from functools import cache
from importlib.resources import files


@cache
def css() -> str:
    """Return the style sheet."""
    return (files("moebench.report") / "report.css").read_text(encoding="utf-8")


@cache
def colors(name: str) -> tuple[str, str]:
    """Return the colours of a variable, in a light theme and in a dark one."""
    light, dark = re.findall(rf"--{name}: (#\w+);", css())
    return light, dark
