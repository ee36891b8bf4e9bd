"""Numbers for readers: as many digits as are significant, with their unit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.statistics import Interval
from moebench.verdict import Verdict

MINUS = "−"
SHAPES = {  # tell verdicts apart without colour; controls are square
    VerdictLabel.REPRODUCED: "●",
    VerdictLabel.PARTIAL: "◐",
    VerdictLabel.NOT_REPRODUCED: "✕",
    VerdictLabel.INCONCLUSIVE: "○",
    VerdictLabel.PASSED: "■",
    VerdictLabel.FAILED: "⊠",
    VerdictLabel.UNDECIDED: "□",
    VerdictLabel.NEEDS_FULL: "…",
    VerdictLabel.NEEDS_GPU: "…",
    VerdictLabel.NOT_IMPLEMENTED: "–",
    VerdictLabel.NOT_TESTABLE: "–",
}
UNITS = {"valid/loss": "nats", "seconds_per_step": "s", "peak_memory_bytes": "bytes"}
MATCHED = {
    "active_flops": "active FLOPs a token",
    "total_params": "total parameters",
    "step_time": "measured time a step",
    "steps": "training steps",
    None: "nothing that costs",
}


def with_unit(metric: str) -> str:
    """Return a metric as the label of an axis: `valid/loss (nats)`; some have no unit."""
    return f"{metric} ({UNITS[metric]})" if metric in UNITS else metric


def decimals(width: float) -> int:
    """Return how many decimals show two digits of a width, at most 6."""
    if not width or not math.isfinite(width):
        return 0
    return min(6, max(0, 1 - math.floor(math.log10(abs(width)))))


def number(value: float, places: int, sign: str = "-") -> str:
    """Return a number with so many decimals and a true minus sign; zero has no sign.

    Args:
        value: the number.
        places: how many decimals.
        sign: "+" to show a plus as well.
    """
    rounded = round(value, places)
    text = f"{rounded:{sign},.{places}f}" if rounded else f"{0:.{places}f}"
    return text.replace("-", MINUS)


def condition(found: Mapping[str, Any]) -> str:
    """Return the effect of a condition that has one, with its interval and unit."""
    low, high = found["low"], found["high"]
    if low == high:
        return f"{digits(found['effect'])} {found['unit']}"
    places = _places(found["effect"], low, high)
    return f"{number(found['effect'], places)} {_ends(low, high, places)} {found['unit']}"


def _places(effect: float, low: float | None, high: float | None) -> int:
    """Return the decimals at which half of an interval shows two digits."""
    ends = [end for end in (low, high) if end is not None]
    width = ends[1] - ends[0] if len(ends) == 2 else 2 * (effect - ends[0])
    return decimals(width / 2)


def _ends(low: float | None, high: float | None, places: int, sign: str = "-") -> str:
    """Return an interval, which may be open to one side."""
    first = f"{MINUS}∞" if low is None else number(low, places, sign)
    last = "∞" if high is None else number(high, places, sign)
    return f"[{first}, {last}]"


def effect(verdict: Verdict) -> tuple[str, str]:
    """Return effect and 95% interval to the same decimal; empty where there is none.

    The interval decides the decimal: half of it shows two digits.
    """
    if verdict.effect is None:
        return "", ""
    a_value = verdict.unit.startswith("ratio") or verdict.interval == "exact"  # no difference
    sign = "-" if a_value else "+"
    if verdict.low == verdict.high:
        places = decimals(verdict.effect / 10)  # three digits
        if verdict.effect and not round(verdict.effect, places):
            return f"{verdict.effect:{sign}.2g}".replace("-", MINUS), ""
        return number(verdict.effect, places, sign), ""
    places = _places(verdict.effect, verdict.low, verdict.high)
    ends = _ends(verdict.low, verdict.high, places, sign)
    return number(verdict.effect, places, sign), ends


def interval(found: Interval, sign: str = "-") -> str:
    """Return an estimate with its interval; a dash where nothing is known.

    One value has no interval.

    Args:
        found: the estimate.
        sign: "+" to show a plus as well.
    """
    if not found.n:
        return "–"
    if found.n == 1:
        return number(found.estimate, 3, sign)
    places = max(2, decimals((found.high - found.low) / 2))
    ends = _ends(found.low, found.high, places, sign)
    return f"{number(found.estimate, places, sign)} {ends}"


def p_value(p: float | None) -> str:
    """Return p with two digits, empty where there is none."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def scaled(value: float) -> str:
    """Return three digits and the letter of the power of 1000: k, M, G, T, P; `1.25 M`."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    power = min(5, max(0, math.floor(math.log10(abs(value)) / 3)))
    if abs(value) / 1000**power >= 999.5 and power < 5:
        power += 1
    return f"{digits(value / 1000**power)} {' kMGTP'[power]}".rstrip()


def digits(value: float, count: int = 3) -> str:
    """Return so many digits, trailing zeros included, never an exponent."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{count}g}")
    return number(rounded, max(0, count - 1 - math.floor(math.log10(abs(rounded)))))


def memory(size: float) -> str:
    """Return bytes as MiB, without decimals from 10 on."""
    mebibytes = size / 2**20
    return f"{number(mebibytes, 0 if mebibytes >= 10 else 1)} MiB"


def duration(seconds: float) -> str:
    """Return a time in the largest units that fit: `42 s`, `7 min`, `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def listed(parts: Sequence[str]) -> str:
    """Return parts as a person lists them: `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 run`, `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def figures(values: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Return a paper's figures as pairs of name and value."""
    return [(str(name).replace("_", " "), _figure(value)) for name, value in values.items()]


def settings(test: ClaimTest) -> list[tuple[str, str]]:
    """Return what a test was given, as pairs of name and value; what is empty is left out."""
    given = {field.name: getattr(test, field.name) for field in fields(test)}
    return figures({name: value for name, value in given.items() if value not in (None, "", ())})


def _figure(value: Any) -> str:
    """Return one figure, or a list or map of them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in figures(value))
    if isinstance(value, list | tuple):
        return ", ".join(_figure(entry) for entry in value)
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", MINUS)
    return str(value)
