"""One claim of a paper in five sentences that need no statistics to follow.

All of them are generated from the verdict and its runs.
"""

from collections.abc import Iterable, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.claim import JUDGED, VerdictLabel, units
from moebench.papers.plan import MATCHED_COST
from moebench.report.formatting import MATCHED, effect, listed, plural, scaled
from moebench.verdict import Verdict

SEEN = {
    VerdictLabel.REPRODUCED: "This is reproduced",
    VerdictLabel.PARTIAL: "This is reproduced in part",
    VerdictLabel.NOT_REPRODUCED: "This is not reproduced",
    VerdictLabel.INCONCLUSIVE: "This remains undecided",
}


def story(verdict: Verdict, records: Iterable[RunRecord]) -> dict[str, str]:
    """Return the sentences by what they tell; only two if the claim has not been judged.

    Args:
        verdict: on the claim.
        records: the runs of its paper.
    """
    claimed = f"{_sentence(verdict.says)} ({verdict.claim}; {verdict.source})"
    if verdict.verdict not in JUDGED:
        return {"Claimed": claimed, "Not judged": _sentence(verdict.why)}
    runs = [one for one in records if one.arm in verdict.measured and one.steps]
    return {
        "Claimed": claimed,
        "Seen here": _seen(verdict),
        "How sure": _sure(verdict),
        "At what size": _size(verdict, runs),
        "What would change it": _otherwise(verdict),
    }


def _sentence(text: str) -> str:
    """Return a text with one full stop at its end."""
    return f"{text.rstrip('.')}."


def _is_computed(verdict: Verdict) -> bool:
    """Say whether a verdict comes from a computation, in which nothing is left to chance."""
    return verdict.p is None


def _seen(verdict: Verdict) -> str:
    """Say what was seen here."""
    estimate, interval = effect(verdict)
    is_ratio = verdict.unit.startswith("ratio")
    number = f"a {verdict.unit} of {estimate}" if is_ratio else f"{estimate} {verdict.unit}"
    if verdict.matched_on in MATCHED_COST:
        number += f" at equal {MATCHED[verdict.matched_on]}"
    within = f", 95% interval {interval}" if interval else ""
    remark = next((f" ({one['remark']})" for one in verdict.conditions[:1] if one["remark"]), "")
    return f"{SEEN[verdict.verdict]}: we measured {number.strip()}{within}{remark}."


def _sure(verdict: Verdict) -> str:
    """Say on how much that rests, and whether the controls bear it out."""
    if _is_computed(verdict):
        return "It is computed, with nothing left to chance."
    unit = verdict.replicate if verdict.n == 1 else units(verdict.replicate)
    few = f", fewer than the {verdict.asked} it asks for" if verdict.preliminary else ""
    rests = f"It rests on {verdict.n} {unit}{few}"
    _, interval = effect(verdict)
    truth = ["of 100 such intervals, about 95 contain the true value"] if interval else []
    return _sentence("; ".join([rests, *truth, _controls(verdict)]))


def _controls(verdict: Verdict) -> str:
    """Say what became of the controls."""
    if not verdict.controls:
        return f"it has no control: {verdict.uncontrolled}"
    told = [
        f"the {what.replace('undecided', 'is undecided')} ({key})"
        for key, what in verdict.controls.items()
    ]
    return listed(told)


def _size(verdict: Verdict, runs: Sequence[RunRecord]) -> str:
    """Say how large the models were and how much they read."""
    sizes = [cost["params_active"] for cost in verdict.costs.values() if cost.get("params_active")]
    if not sizes:
        computed = "It does not depend on the size of any model."
        return computed if _is_computed(verdict) else "Its records hold no sizes."
    tokens = {one.tokens for one in runs if one.tokens}
    read = f", trained on {_from_to(tokens)} tokens" if tokens else ""
    return f"The models have {_from_to(sizes)} active parameters{read}; larger ones may differ."


def _from_to(values: Iterable[float]) -> str:
    """Return a number, or a range."""
    ordered = sorted(values)
    ends = [f"{one:.0f}" if one < 1000 else scaled(one) for one in (ordered[0], ordered[-1])]
    return " to ".join(dict.fromkeys(ends))


def _otherwise(verdict: Verdict) -> str:
    """Say what would change the verdict."""
    if _is_computed(verdict):
        return "Only a mistake in the computation, or another reading of the paper, would."
    if verdict.verdict is VerdictLabel.REPRODUCED:
        return "New runs without an effect that is large enough to count, or a failed control."
    if verdict.verdict is VerdictLabel.NOT_REPRODUCED:
        return "New runs with an effect that counts, perhaps at another size or on another text."
    if verdict.verdict is VerdictLabel.PARTIAL:
        return _in_full(verdict)
    if any(what.endswith("failed") for what in verdict.controls.values()):
        return "A control that passes, for without one nothing can be decided."
    needed = (verdict.power or {}).get("seeds_needed", 0)
    enough = plural(int(needed), verdict.replicate) if needed > verdict.n else "more runs"
    return f"It takes {enough} to decide it."


def _in_full(verdict: Verdict) -> str:
    """Say what is missing for a partial verdict to become a full one."""
    short = next((one for one in verdict.conditions[1:] if one["state"] != "holds"), None)
    if short is None or short["choice"]:
        return (
            "It would be reproduced in full if it held under every choice left open by the paper."
        )
    return f"It would be reproduced in full if this held, too: {_sentence(short['says'])}"
