"""The opening on the runs of a paper: what was found, how surely, at what cost, what is open.

The page and the terminal share it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.claim import JUDGED, VerdictLabel, units
from moebench.papers.plan import MATCHED_COST
from moebench.report.formatting import MATCHED, duration, effect, listed, p_value, plural
from moebench.verdict import Verdict
from moebench.verdict.remarks import judged, printed_p, rest

FAILED = "control failed"  # what a verdict says of its control
NAMED = 4  # claims named in a sentence
QUOTED = 2  # open claims of which it says what they are


def opening(verdicts: Sequence[Verdict], records: Sequence[RunRecord]) -> list[str]:
    """Return a few sentences.

    Args:
        verdicts: on all claims of the paper.
        records: of one profile.
    """
    if _is_smoke(records):
        return _smoke(records)
    claims_nothing = bool(verdicts) and not any(one.of_paper for one in verdicts)  # as disputes do
    counts = [] if claims_nothing else [_counts(judged(verdicts))]
    return [*counts, *beside_counts(verdicts, records)]


def beside_counts(verdicts: Sequence[Verdict], records: Sequence[RunRecord]) -> list[str]:
    """Return the same without the counts, for a page that shows these with their marks.

    Takes what `opening` does.
    """
    if _is_smoke(records):
        return _smoke(records)
    of_paper = judged(verdicts)
    found = [*_clear(of_paper), _cost(records), _open(verdicts, records)]
    if of_paper and len(found) == 2:  # that all is open is what was found, and comes first
        found.reverse()
    return [sentence for sentence in found if sentence]


def _is_smoke(records: Sequence[RunRecord]) -> bool:
    """Say whether the runs are of the profile that judges nothing."""
    return {record.profile for record in records} == {"smoke"}


def _smoke(records: Sequence[RunRecord]) -> list[str]:
    """Say whether everything works, which is all that such runs can say."""
    lost = [
        f"{record.arm}, seed {record.seed}: {_word(record.status)}"
        for record in records
        if record.status != "finished"
    ]
    trained = any(record.steps for record in records)
    computed = len({record.arm for record in records if not record.steps})
    done = [_made(records)] * trained
    done += [plural(computed, "computed result")] * bool(computed)
    works = f"Everything works: {'; '.join(done)}."
    told = f"Not everything works: {'; '.join(lost)}." if lost else works
    return [told, "The smoke profile judges nothing; quick and full do."]


def _counts(of_paper: Sequence[Verdict]) -> str:
    """Say how many statements got which verdict."""
    if not of_paper:
        return "No statement of the paper was judged by these runs."
    count = Counter(verdict.verdict for verdict in of_paper)
    parts = [f"{count[word]} {word}" for word in JUDGED if count[word]]
    return f"{plural(len(of_paper), 'statement')} of the paper judged: {listed(parts)}."


def _clear(of_paper: Sequence[Verdict]) -> Iterator[str]:
    """Yield the clearest statement on either side."""
    count = Counter(verdict.verdict for verdict in of_paper)
    sides = {
        "Clearest support": VerdictLabel.REPRODUCED,
        "Clearest partial support": VerdictLabel.PARTIAL,
        "Clearest contradiction": VerdictLabel.NOT_REPRODUCED,
    }
    for told, word in sides.items():
        best = _clearest(one for one in of_paper if one.verdict is word)
        if best and not (word is VerdictLabel.PARTIAL and count[VerdictLabel.REPRODUCED]):
            yield f"{told}: {best.says.rstrip('.')} ({best.claim}: {_measured(best)})."


def _clearest(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict whose effect is the most intervals away from none; None without any.

    Arms of equal cost come before all others.
    """
    found = [one for one in verdicts if _distance(one) > 0]
    return max(
        found, key=lambda one: (one.matched_on in MATCHED_COST, _distance(one)), default=None
    )


def _distance(verdict: Verdict) -> float:
    """Return how many half intervals an effect lies from none; zero where that is not known."""
    if verdict.effect is None or verdict.low is None or verdict.high is None:
        return 0.0
    half = (verdict.high - verdict.low) / 2
    neutral = 1.0 if _is_ratio(verdict) else 0.0
    return abs(verdict.effect - neutral) / half if half > 0 else 0.0


def _is_ratio(verdict: Verdict) -> bool:
    """Say whether an effect is a ratio, which is one where there is none."""
    return verdict.unit.startswith("ratio")


def _measured(verdict: Verdict) -> str:
    """Return effect, interval, unit, n and p of a verdict."""
    estimate, interval = effect(verdict)
    p = p_value(printed_p(verdict))
    unit = units(verdict.replicate) if verdict.n != 1 else verdict.replicate
    equal = [f"at equal {MATCHED[verdict.matched_on]}"] * (verdict.matched_on in MATCHED_COST)
    number = (estimate, interval)
    named = (verdict.unit, *number) if _is_ratio(verdict) else (*number, verdict.unit)
    parts = [" ".join(part for part in (*named, *equal) if part)]
    parts += [f"{verdict.n} {unit}"]
    parts += [f"adjusted p {p if p.startswith('<') else f'= {p}'}"] if p else []
    return ", ".join(parts) + "".join(f"; {remark}" for remark in _reading(verdict))


def _reading(verdict: Verdict) -> Iterator[str]:
    """Yield how to read an effect that refutes a claim, such as that it is too small to count."""
    if verdict.verdict is VerdictLabel.NOT_REPRODUCED:
        shown = [one for one in verdict.conditions if one["effect"] == verdict.effect]
        yield from (one["remark"] for one in shown[:1] if one["remark"])


def _cost(records: Sequence[RunRecord]) -> str:
    """Say what the runs took."""
    if not records:
        return ""
    if not any(record.steps for record in records):
        took = duration(sum(record.seconds for record in records))
        return f"Every result comes from a computation; together they took {took}."
    return f"This took {_made(records)}; the findings apply at this scale."


def _made(records: Sequence[RunRecord]) -> str:
    """Return how much was trained, and on what."""
    trained = [record for record in records if record.steps]
    arms = len({record.arm for record in trained})
    machines = dict.fromkeys(
        str(record.hardware.get("accelerator") or record.hardware.get("processor") or "")
        for record in trained
    )
    names = listed([name for name in machines if name])
    seconds = duration(sum(record.seconds for record in trained))
    runs = f"{plural(len(trained), 'run')} of {plural(arms, 'arm')}"
    return f"{runs} and {seconds} of training{f' on {names}' if names else ''}"


def _open(verdicts: Sequence[Verdict], records: Sequence[RunRecord]) -> str:
    """Say what these runs leave open, and why."""
    ended = Counter(_word(one.status) for one in records if one.status != "finished")
    parts = [
        *_undecided(verdicts),
        *_few(judged(verdicts)),
        *(f"{count} of {len(records)} runs: {status}" for status, count in ended.items()),
    ]
    told = "; ".join(part for part in parts if part)
    return " ".join(filter(None, [told and f"Not known: {told}.", rest(verdicts)]))


def _undecided(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield which controls failed, then which claims stay open for another reason."""
    failed = [one.claim for one in verdicts if one.verdict is VerdictLabel.FAILED]
    undone = [one.claim for one in verdicts if FAILED in " ".join(one.controls.values())]
    if failed:
        what = f"control{'s' * (len(failed) > 1)} {_short(failed)} failed"
        yield f"{_short(undone)}, because {what}" if undone else what
    open_ones = [one for one in judged(verdicts) if one.verdict is VerdictLabel.INCONCLUSIVE]
    others = [one for one in open_ones if one.claim not in undone]
    if len(others) > QUOTED:
        yield f"whether {_short([one.claim for one in others])} hold"
        return
    for one in others:
        yield f"whether {one.claim} holds ({one.says.rstrip('.')})"


def _few(of_paper: Sequence[Verdict]) -> Iterator[str]:
    """Yield how many verdicts rest on fewer replicates than their claims ask for."""
    few = [one for one in of_paper if one.preliminary]
    if few:
        least = min(few, key=lambda one: one.n)
        unit = least.replicate if least.n == 1 else units(least.replicate)
        what = plural(len(few), "preliminary verdict")
        yield f"how {what} would change with more than {least.n} {unit}"


def _short(keys: Sequence[str]) -> str:
    """Return a few claims by name, and how many there are besides."""
    more = len(keys) - NAMED
    return listed([*keys[:NAMED], f"{more} more"] if more > 0 else keys)


def _word(status: str) -> str:
    """Return a status in words."""
    return status.replace("_", " ")
