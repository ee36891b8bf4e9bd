"""The paragraphs of an explanation with the numbers of a verdict: effect, p values, controls."""

from collections.abc import Mapping, Sequence
from typing import Any

from moebench.cli.explain.case import Case
from moebench.papers.claim import units
from moebench.report.tables import paragraph

Listed = Mapping[str, Any]  # a condition, as a verdict lists it


def numbers(case: Case) -> list[str]:
    """Return effect, interval, p values, and every condition of the claim."""
    verdict = case.verdict
    if verdict.effect is None:
        return []
    how = f" by {verdict.interval}, of {verdict.n} {units(verdict.replicate)}"
    interval = _interval(verdict.low, verdict.high, verdict.unit)
    margin = getattr(case.claim.test, "margin", 0.0)
    return [
        *paragraph("effect", _counted(verdict.effect, verdict.unit)),
        *paragraph("interval", interval + (how if verdict.p is not None else "")),
        *paragraph("margin", _counted(margin, verdict.unit) if margin else "none"),
        *paragraph("p", _chance(case)),
        *_conditions(verdict.conditions),
    ]


def _chance(case: Case) -> str:
    """Return the p of what is asserted, as it is and corrected."""
    verdict = case.verdict
    if verdict.p is None:
        return "none: nothing is left to chance"
    if verdict.p_adjusted is None:
        return f"{verdict.p:.3g}, not corrected: it is no statement of the paper"
    tested = sum(one.p_adjusted is not None for one in case.verdicts.values())
    return f"{verdict.p:.3g}; corrected among {tested} of the paper (Holm) {verdict.p_adjusted:.3g}"


def _conditions(found: Sequence[Listed]) -> list[str]:
    """Return every condition; a single one has been shown already."""
    if len(found) == 1:
        return []
    return [line for place, one in enumerate(found) for line in _condition(one, place)]


def _condition(one: Listed, place: int) -> list[str]:
    """Return a condition: its state and numbers, then what it says."""
    role = "choice" if one["choice"] else "side" if place else "lead"
    choice = f"{one['choice']}: " if one["choice"] else ""
    remark = f" ({one['remark']})" if one["remark"] else ""
    return paragraph(role, f"{choice}{one['state']}{remark}, {_told(one)}: {one['says']}")


def _told(one: Listed) -> str:
    """Return the numbers of a condition."""
    if one["effect"] is None:
        return "no value"
    interval = _interval(one["low"], one["high"], "")
    chance = f", p {one['p']:.3g}" if one["p"] is not None else ""
    return f"{_counted(one['effect'], one['unit'])}, {interval}{chance}"


def _counted(value: float, unit: str) -> str:
    """Return a number with its unit."""
    return f"{value:.4g} {unit}".rstrip()


def _interval(low: float | None, high: float | None, unit: str) -> str:
    """Return an interval as text; an end that is None is infinite."""
    if low is None and high is None:
        return "no interval"
    if low == high:
        return "none: computed"
    ends = ("-inf" if low is None else f"{low:.4g}", "inf" if high is None else f"{high:.4g}")
    return f"95% [{', '.join(ends)}] {unit}".rstrip()


def controls(case: Case) -> list[str]:
    """Return what came of the controls of the claim, and why it lacks one."""
    lines = []
    for key, word in case.verdict.controls.items():
        lines += paragraph("control", f"{key}, {word}: {case.verdicts[key].why}")
    if case.claim.uncontrolled:
        kind = "lacking" if lines else "none"
        lines += paragraph("control", f"{kind}: {case.claim.uncontrolled}")
    return lines
