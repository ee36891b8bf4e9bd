"""The paragraphs of an explanation that say what a claim is and what it is judged by."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from moebench.cli.explain.arm_groups import MANY, Family, listed
from moebench.cli.explain.case import Case
from moebench.papers.claim import ClaimTest, units
from moebench.papers.plan import Arm
from moebench.report.paper.verdict_table import short
from moebench.report.tables import paragraph, table

LONGEST = 400  # letters of the value of a field


def statement(case: Case) -> list[str]:
    """Return what the claim is, where the paper has it, the verdict, and the test."""
    claim, paper, verdict = case.claim, case.found.paper, case.verdict
    kind = ""
    if claim.control_of:
        kind = f"; a control of {claim.control_of}, which expects {claim.expects}"
    elif claim.ours:
        kind = "; an addition of this project, no statement of the paper"
    asks = f"{claim.seeds} {units(claim.replicate) if claim.seeds > 1 else claim.replicate}"
    return [
        *paragraph(claim.key, f"{claim.says}."),
        *paragraph("version", f"{claim.version}{kind}"),
        *paragraph("place", f"{paper.title} ({paper.year}), {claim.source}"),
        *paragraph("paper says", short(claim.paper_values)),
        *paragraph("verdict", f"{verdict.verdict.upper()}. {verdict.why}"),
        *(paragraph("test", asked(claim.test)) if claim.test else []),
        *(paragraph("asks for", f"{asks}, which are what n counts") if claim.trained else []),
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
    """Return the value of a field as text; of very many entries the first and the last."""
    if isinstance(value, Mapping):
        entries = [f"{key}: {_plain(one)}" for key, one in value.items()]
        if len(", ".join(entries)) > LONGEST:
            entries = [listed([str(key) for key in value])]
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list | tuple):
        entries = [_plain(one) for one in value if one is not None]
        return f"({listed(entries) if len(entries) > MANY else ', '.join(entries)})"
    if is_dataclass(value):
        return _plain(list(vars(value).values()))
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def arms(case: Case) -> list[str]:
    """Return what each arm is; arms of the same files together, where there are very many."""
    rows = [(family.name, _described(case, family)) for family in case.families]
    return ["arms", *table((), rows, indent=2)] if rows else []


def _described(case: Case, family: Family) -> str:
    """Return what the arms of a family are."""
    plan, name = case.runs.plan, family.arms[0]
    known = {arm.name: arm for arm in plan.arms}
    if name in plan.computed:
        return f"computed by {plan.computed[name]}"
    if name not in known:
        sweep = name.partition("/")[0]
        kind = "computed from" if name == sweep else "a trial of"
        return f"{kind} the sweep {plan.sweeps.get(sweep, 'that is planned no more')}"
    found = [known[arm] for arm in family.arms if arm in known]
    first, count = found[0], len(family.arms)
    if first.twin_of:
        return f"the dense twin of {first.twin_of}, made equal in {first.matched_on}"
    over = _settings(found)
    return (
        (f"{count} arms: " if count > 1 else "")
        + " + ".join(first.configs)
        + (f" with {over}" if over else "")
    )


def _settings(found: Iterable[Arm]) -> str:
    """Return the settings of some arms, each with all its values."""
    seen: dict[str, list[str]] = {}
    for arm in found:
        for key, value in arm.settings.items():
            seen.setdefault(key.rpartition(".")[2], []).append(str(value))
    return ", ".join(f"{key}={listed(given)}" for key, given in seen.items())
