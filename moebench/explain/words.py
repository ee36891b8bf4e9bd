"""The paragraphs of an explanation that say what a claim is and what came of it."""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from moebench.claims import ClaimTest
from moebench.columns import columns, paragraph
from moebench.explain.case import Case
from moebench.verdict.table import short


def statement(case: Case) -> list[str]:
    """Return what the claim is, where the paper has it, and the verdict."""
    claim, paper, verdict = case.claim, case.found.paper, case.verdict
    kind = ""
    if claim.control_of:
        kind = f"a control of {claim.control_of}, which expects {claim.expects}"
    elif claim.ours:
        kind = "an addition of this project, no statement of the paper"
    what = asked(claim.test) if claim.test else ""
    return [
        *paragraph(claim.key, f"{claim.says}."),
        *paragraph("version", f"{claim.version}{f'; {kind}' if kind else ''}"),
        *paragraph("place", f"{paper.title} ({paper.year}), {claim.source}"),
        *paragraph("paper", short(claim.paper_values)),
        *paragraph("verdict", f"{verdict.verdict.upper()}. {verdict.why}"),
        *paragraph("test", what),
        *paragraph(
            "replicate", f"said to hold over every {claim.replicate}; {claim.seeds} asked for"
        ),
    ]


def asked(test: ClaimTest) -> str:
    """Return what a test asks for, and those of its fields that are set."""
    what = (inspect.getdoc(type(test)) or type(test).__name__).splitlines()[0]
    chosen = [
        f"{one.name} {_plain(getattr(test, one.name))}"
        for one in fields(test)
        if one.name == "metric" or getattr(test, one.name) not in (one.default, {}, ())
    ]
    return f"{what} {type(test).__name__} with {', '.join(chosen)}"


def _plain(value: Any) -> str:
    """Return the value of a field as text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"({', '.join(_plain(one) for one in value if one is not None)})"
    if is_dataclass(value):
        return _plain(list(vars(value).values()))
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def arms(case: Case) -> list[str]:
    """Return what each arm is."""
    plan, claim = case.runs.plan, case.claim
    known = {arm.name: arm for arm in plan.arms}
    rows = []
    for name in claim.arms:
        arm, sweep = known.get(name), name.partition("/")[0]
        if name in plan.computed:
            what = f"computed by {plan.computed[name]}"
        elif arm is None:
            kind = "computed from" if name == sweep else "a trial of"
            what = f"{kind} the sweep {plan.sweeps.get(sweep, 'that is planned no more')}"
        elif arm.twin_of:
            what = f"the dense twin of {arm.twin_of}, made equal in {arm.matched_on}"
        else:
            over = ", ".join(f"{key.rpartition('.')[2]}={v}" for key, v in arm.settings.items())
            what = " + ".join(arm.configs) + (f" with {over}" if over else "")
        rows.append(("  " + name, what))
    return ["arms", *columns(rows)] if rows else []


def numbers(case: Case) -> list[str]:
    """Return effect, interval, p values, and every condition of the claim."""
    verdict = case.verdict
    if verdict.effect is None:
        return []
    tested = sum(one.p_adjusted is not None for one in case.verdicts.values())
    unit = f" {verdict.unit}" if verdict.unit else ""
    effect = f"{verdict.effect:.4g}{unit}, {_interval(verdict.low, verdict.high)}"
    effect += f" by {verdict.interval}, of {verdict.n}" if verdict.p is not None else ""
    margin = getattr(case.claim.test, "margin", 0.0)
    chance = "none: nothing is left to chance" if verdict.p is None else f"{verdict.p:.3g}"
    if verdict.p_adjusted is not None:
        chance += f"; corrected among {tested} of the paper (Holm) {verdict.p_adjusted:.3g}"
    return [
        *paragraph("effect", effect),
        *paragraph("margin", f"{margin:g}{unit}" if margin else "none"),
        *paragraph("p", chance),
        *(
            line
            for number, one in enumerate(verdict.conditions)
            for line in paragraph(_role(number, one["choice"]), _told(one))
        ),
    ]


def _role(number: int, choice: str) -> str:
    """Return what a condition is to its claim."""
    return "choice" if choice else "side" if number else "lead"


def _told(one: Any) -> str:
    """Return a condition in words."""
    choice = f" [{one['choice']}]" if one["choice"] else ""
    remark = f" ({one['remark']})" if one["remark"] else ""
    read = f"{one['says']}{choice}: {one['state']}{remark}"
    if one["effect"] is not None:
        unit = f" {one['unit']}" if one["unit"] else ""
        read += f"; {one['effect']:.4g}{unit}, {_interval(one['low'], one['high'])}"
    return read + (f", p {one['p']:.3g}" if one["p"] is not None else "")


def _interval(low: float | None, high: float | None) -> str:
    """Return an interval as text."""
    if low is None or high is None:
        return "without an interval"
    return "computed" if low == high else f"95% interval [{low:.4g}, {high:.4g}]"


def controls(case: Case) -> list[str]:
    """Return what came of the controls of the claim, and why it lacks one."""
    lines = []
    for key, word in case.verdict.controls.items():
        lines += paragraph("control", f"{key}, {word}: {case.verdicts[key].why}")
    if case.claim.uncontrolled:
        kind = "lacking" if lines else "none"
        lines += paragraph("control", f"{kind}: {case.claim.uncontrolled}")
    return lines
