"""The parts of an explanation that show the runs, and how to make them again."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from moebench.columns import WIDTH, columns, paragraph
from moebench.explain.case import Case
from moebench.plan import EQUAL, MATCHED_COST, NAMES
from moebench.records import RunRecord

FIRST = ("mean", "sd", "n", "failed")  # of what was measured; the rest are figures of the test


def costs(case: Case) -> list[str]:
    """Return what the arms cost as measured, and whether what should be equal is."""
    verdict, claim = case.verdict, case.claim
    rows = [
        ("  " + arm, f"{cost['runs']:g}", *(_short(cost[key]) for key in EQUAL))
        for arm, cost in verdict.costs.items()
        if cost
    ]
    if not rows:
        return paragraph("equal", "nothing to match" if claim.test else "")
    said = f"{claim.matched_on or 'nothing'} is to be equal; measured, means over the runs:"
    head = (
        "  arm",
        "runs",
        *(NAMES[key] + (" a token" if "flops" in key else "") for key in EQUAL),
    )
    return [*paragraph("equal", said), *columns([head, *rows]), *_ratios(case)]


def _ratios(case: Case) -> list[str]:
    """Return a line for each pair of arms that is compared."""
    claim, measured = case.claim, case.verdict.costs
    cost = MATCHED_COST.get(claim.matched_on or "")
    if claim.test is None or cost is None:
        return []
    lines = []
    for first, second in claim.test.pairs:
        ours, theirs = (measured.get(arm, {}).get(cost, 0.0) for arm in (first, second))
        if ours and theirs:
            ratio = ours / theirs
            word = "equal" if abs(ratio - 1) <= EQUAL[cost] else "NOT EQUAL"
            limit = f"within {EQUAL[cost]:.0%}"
            lines.append(f"  {first} / {second}: x{ratio:.3f} in {NAMES[cost]}, {word} ({limit})")
    return lines


def values(case: Case) -> list[str]:
    """Return the value of every run, a row a seed, and figures beside them."""
    claim, evidence = case.claim, case.evidence
    if claim.test is None or not any(evidence.runs.values()):
        return []
    metric = claim.test.metric
    found = {arm: evidence.values(metric, arm) for arm in claim.arms}
    seeds = sorted({seed for runs in evidence.runs.values() for seed in runs})
    table: list[list[str]] = [["  seed", *map(str, seeds), "  mean", "  sd"]]
    for arm in claim.arms:
        runs, summary = evidence.runs[arm], case.verdict.measured.get(arm, {})
        cells = [_cell(found[arm].get(seed), runs.get(seed)) for seed in seeds]
        table.append([arm, *cells, _short(summary.get("mean")), _short(summary.get("sd"))])
    if len(claim.arms) == 2:
        one, other = (found[arm] for arm in claim.arms)
        both = [f"{one[s] - other[s]:+.4g}" if s in one and s in other else "" for s in seeds]
        table.append(["difference", *both, "", ""])
    return [f"{metric} of every run, a row a {claim.replicate}", *_blocks(table), *_figures(case)]


def _cell(value: float | None, record: RunRecord | None) -> str:
    """Return the value of a run, or why it has none."""
    if value is not None:
        return f"{value:.6g}"
    if record is None:
        return "no run"
    return "no value" if record.status == "finished" else record.status


def _blocks(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the columns of a table below one another where they are too wide together."""
    first, *rest = table
    lines: list[str] = []
    while rest:
        taken: list[Sequence[str]] = [first]
        width = max(map(len, first))
        while rest and (len(taken) == 1 or width + 2 + max(map(len, rest[0])) <= WIDTH):
            width += 2 + max(map(len, rest[0]))
            taken.append(rest.pop(0))
        lines += columns(list(zip(*taken, strict=True)))
    return lines


def _figures(case: Case) -> list[str]:
    """Return the further figures that the test gives for each arm."""
    rows = [
        ("  " + arm, ", ".join(f"{k} {_short(v)}" for k, v in figures.items() if k not in FIRST))
        for arm, figures in case.verdict.measured.items()
        if set(figures) - set(FIRST)
    ]
    return ["beside them, means", *columns(rows)] if rows else []


def origin(case: Case) -> list[str]:
    """Return where the runs come from and what they were made with."""
    runs = [one for of in case.evidence.runs.values() for one in of.values()]
    if not runs:
        return []

    def kinds(name: str, of: Callable[[RunRecord], str]) -> list[str]:
        return paragraph(name, _counted(map(of, runs)))

    return [
        *paragraph("runs", f"{len(runs)}, profile {case.kept.profile}, of {case.kept.path}"),
        *kinds("commit", _commit),
        *kinds("source", lambda one: one.source or "not recorded"),
        *kinds("data", _data),
        *kinds("hardware", lambda one: ", ".join(f"{k} {v}" for k, v in one.hardware.items())),
        *kinds("precision", _precision),
        *kinds("versions", lambda one: ", ".join(f"{k} {v}" for k, v in one.versions.items())),
    ]


def _commit(one: RunRecord) -> str:
    """Return the commit of a run, and whether the files were those of it."""
    if one.commit.endswith("+"):
        return f"{one.commit[:-1]} with changes that are not in it"
    return one.commit or "not recorded"


def _data(one: RunRecord) -> str:
    """Return which data a run was trained on."""
    return f"{one.data_hash[:12]}, version {one.data_version}" if one.data_hash else "none"


def _precision(one: RunRecord) -> str:
    """Return what a run was trained in."""
    return one.precision or ("not recorded" if one.steps else "none: computed")


def _counted(texts: Iterable[str]) -> str:
    """Return each text once, with how many runs it is of where there are several."""
    counts = Counter(texts)
    if len(counts) == 1:
        return next(iter(counts)) or "not recorded"
    return "; ".join(f"{text or 'not recorded'} ({count} runs)" for text, count in counts.items())


def checks(case: Case) -> list[str]:
    """Return the commands that make the numbers again."""
    committed = case.kept.path == case.runs.evidence
    which = "" if committed else f" --profile {case.kept.profile}"
    lines = []
    for arm, runs in case.evidence.runs.items():
        if runs:
            words = ["moebench", "rerun", case.runs.name, arm, str(min(runs))]
            lines.append("  " + " ".join(map(shlex.quote, words)) + which)
    if not lines:
        return []
    whole = f"make reproduce-{case.runs.name} PROFILE={case.kept.profile}"
    return ["to make one of these numbers again, of any seed above", *lines, f"all: {whole}"]


def _short(value: Any) -> str:
    """Return a number in four places; empty for none."""
    return f"{value:.4g}" if isinstance(value, int | float) else ""
