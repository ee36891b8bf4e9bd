"""Remarks on a verdict, shared by all tables: controls, costs that differ, the unit of n."""

from collections import Counter
from collections.abc import Iterable, Sequence

from moebench.papers.claim import JUDGED, KINDS, OF_CONTROLS, VerdictLabel, units
from moebench.papers.plan import MATCHED_COST, NAMES
from moebench.statistics.distributions import Identical
from moebench.verdict.conditions import LEVEL, State
from moebench.verdict.outcome import Verdict

TIMES = "×"
BESIDE = "Controls and claims of our own, whose p is not adjusted."
FEW = 10  # so few values hardly show a long tail
REST = {  # singular and plural for what was not judged
    VerdictLabel.NEEDS_FULL: ("needs the profile full", "need the profile full"),
    VerdictLabel.NEEDS_GPU: ("needs the profile gpu", "need the profile gpu"),
    VerdictLabel.NOT_IMPLEMENTED: ("is not implemented", "are not implemented"),
    VerdictLabel.NOT_TESTABLE: ("is not testable here", "are not testable here"),
}


class Footnotes:
    """Numbers the reasons below a table; equal reasons share a number."""

    def __init__(self) -> None:
        self.reasons: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        """Return the mark of a reason: `[1]`."""
        return f"[{self.reasons.setdefault(reason, len(self.reasons) + 1)}]"

    @property
    def lines(self) -> list[str]:
        """The reasons with their marks."""
        return [f"[{number}] {reason}" for reason, number in self.reasons.items()]


def judged(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the paper's own claims that were judged."""
    return [one for one in verdicts if one.of_paper and one.verdict in JUDGED]


def beside(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return what else was judged: controls and claims of our own."""
    return [one for one in verdicts if not one.of_paper and one.verdict in (*JUDGED, *OF_CONTROLS)]


def rest(verdicts: Iterable[Verdict]) -> str:
    """Say in one line how many claims were not judged, and why; empty if all were."""
    labels = Counter(one.verdict for one in verdicts)
    more = "more " if any(labels[label] for label in (*JUDGED, *OF_CONTROLS)) else ""
    parts = [
        f"{count} {more}{'claim' if count == 1 else 'claims'} {forms[count > 1]}"
        for label, forms in REST.items()
        if (count := labels[label])
    ]
    return "; ".join(parts) + "." if parts else ""


def printed_p(verdict: Verdict) -> float | None:
    """Return the p to print: adjusted for the paper's own claims, unadjusted for all others.

    An inconclusive verdict asserts nothing, but a small p would suggest that it did: the effect may
    be too small to count, or a control may have failed. Identical values have no p: theirs would be
    zero for lack of spread, which may be chance.
    """
    if verdict.interval == Identical.method:
        return None
    p = verdict.p_adjusted if verdict.of_paper else verdict.p
    asserted = verdict.verdict not in (VerdictLabel.INCONCLUSIVE, VerdictLabel.UNDECIDED)
    return p if p is None or asserted or p > LEVEL else None


def few_values_note(verdicts: Iterable[Verdict]) -> str:
    """Say what it means that some verdict rests on few values; empty if none does."""
    if not any(one.p is not None and one.n <= FEW for one in verdicts):
        return ""
    return (
        f"n up to {FEW}: if differences between runs are skewed, for instance because a run "
        "sometimes goes badly wrong, about one verdict in ten is wrong rather than one in twenty "
        "(moebench/verdict/README.md)"
    )


def remarks(verdict: Verdict, notes: Footnotes) -> list[str]:
    """Return short remarks on a verdict; reasons become footnotes."""
    return [
        *_controls(verdict, notes),
        *_choices(verdict),
        *_unequal(verdict),
        *_timed_apart(verdict),
        *([f"the same value {verdict.n} times"] if verdict.interval == Identical.method else []),
        *verdict.lost,
        *([f"n: {units(verdict.replicate)}"] if verdict.replicate != "seed" else []),
        *([f"runs of {verdict.runs_of}"] if verdict.runs_of else []),
        *([f"caution {notes.mark(verdict.caution)}"] if verdict.caution else []),
    ]


def _controls(verdict: Verdict, notes: Footnotes) -> list[str]:
    """Return a claim's control results and missing controls; for a control, its claim."""
    if verdict.control_of:
        return [f"{KINDS[verdict.expects]} control of {verdict.control_of}"]
    told = [f"{what} ({key})" for key, what in verdict.controls.items()]
    there = {what.partition(" ")[0] for what in verdict.controls.values()}
    lacking = [kind for kind in KINDS.values() if kind not in there]
    if verdict.uncontrolled and lacking:
        kind = f"{lacking[0]} " if len(lacking) == 1 else ""
        told.append(f"no {kind}control {notes.mark(verdict.uncontrolled)}")
    return told


def _choices(verdict: Verdict) -> Sequence[str]:
    """Say under how many choices the lead holds, if the choices disagree."""
    choices = [one for one in verdict.conditions if one["choice"]]
    states = Counter(one["state"] for one in choices)
    if len(states) < 2:
        return []
    parts = [f"{state} under {states[state]}" for state in State if states[state]]
    numbers = (verdict.effect, verdict.low, verdict.high)
    shown = [c["choice"] for c in choices if (c["effect"], c["low"], c["high"]) == numbers][:1]
    named = f"; shown: {shown[0]}" if shown else ""
    return [f"{len(choices)} choices: {', '.join(parts)}{named}"]


def _unequal(verdict: Verdict) -> Sequence[str]:
    """Return the pair whose matched costs differ most."""
    if not verdict.unequal:
        return []
    cost = NAMES[MATCHED_COST[verdict.matched_on or ""]]
    pair, ratio = max(verdict.unequal.items(), key=lambda one: max(one[1], 1 / one[1]))
    return [f"{cost} {TIMES}{ratio:.2f} ({pair}){_and_more(len(verdict.unequal))}"]


def _timed_apart(verdict: Verdict) -> Sequence[str]:
    """Return the first pair whose equal time cannot be checked."""
    pairs = verdict.timed_apart
    if not pairs:
        return []
    return [f"equal time unknown: timed on several machines ({pairs[0]}){_and_more(len(pairs))}"]


def _and_more(count: int) -> str:
    """Return how many pairs there are beside the one that is named."""
    others = count - 1
    return f" and {others} more {'pair' if others == 1 else 'pairs'}" if others else ""
