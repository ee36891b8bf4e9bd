"""The part of an explanation that shows what arms cost, and whether equals are equal."""

from collections.abc import Iterator, Mapping, Sequence

from moebench.cli.explain.arm_groups import MANY
from moebench.cli.explain.case import Case
from moebench.papers.plan import EQUAL, MATCHED_COST, NAMES
from moebench.report.tables import paragraph, table

HEADS = dict(zip(EQUAL, ("FLOPs/token", "parameters", "seconds/step"), strict=True))
Costs = Mapping[str, Mapping[str, float]]


def costs(case: Case) -> list[str]:
    """Return what the arms cost as measured, and whether what should be equal is."""
    claim, measured = case.claim, case.verdict.costs
    rows = [
        [family.name, *_row([measured[arm] for arm in family.arms if measured.get(arm)])]
        for family in case.families
        if any(measured.get(arm) for arm in family.arms)
    ]
    if not rows:
        nothing = claim.test is not None and not any(case.evidence.missing)
        return paragraph(
            "equal", "nothing to match: no run has costs of training" if nothing else ""
        )
    matched = MATCHED_COST.get(claim.matched_on or "")
    equal = NAMES[matched] if matched else claim.matched_on
    said = f"{equal} of the arms" if equal else "the claim does not ask for equal costs"
    head = ["arm", "runs", *HEADS.values()]
    return [
        *paragraph("equal", f"{said}; as measured, means over the runs:"),
        *table(head, rows, indent=2),
        *_ratios(case),
    ]


def _row(of: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """Yield the cells of a family: runs in all, and its costs, from the lowest to the highest."""
    yield f"{sum(cost['runs'] for cost in of):g}"
    for key in EQUAL:
        found = [cost[key] for cost in of]
        low, high = (f"{end(found):.4g}" for end in (min, max))
        yield low if low == high else f"{low} to {high}"


def _ratios(case: Case) -> list[str]:
    """Return how far apart pairs that are compared are in what they should have in common."""
    claim, measured = case.claim, case.verdict.costs
    cost = MATCHED_COST.get(claim.matched_on or "")
    if claim.test is None or cost is None:
        return []
    found = {
        f"{first} / {second}": measured[first][cost] / measured[second][cost]
        for first, second in claim.test.pairs
        if measured.get(first, {}).get(cost) and measured.get(second, {}).get(cost)
    }
    apart = {pair: ratio for pair, ratio in found.items() if abs(ratio - 1) > EQUAL[cost]}
    shown = found if len(found) <= MANY else apart
    where = f"in {NAMES[cost]}"
    limit = f"(within {EQUAL[cost]:.0%})"
    rows = [
        (pair, f"x{ratio:.3f} {where}, {'NOT EQUAL' if pair in apart else 'equal'} {limit}")
        for pair, ratio in shown.items()
    ]
    if rest := [ratio for pair, ratio in found.items() if pair not in shown]:
        span = f"x{min(rest):.3f} to x{max(rest):.3f} {where}, equal {limit}"
        rows.append((f"{len(rest)} pairs", span))
    return table((), rows, indent=2)
