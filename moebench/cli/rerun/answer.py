"""The answer of a rerun as text for a terminal."""

from collections.abc import Sequence

from moebench.cli.rerun.alike import Comparison, Reading
from moebench.cli.rerun.environment import CODE, UNKNOWN, Change
from moebench.evidence.record import RunRecord
from moebench.report.tables import paragraph, table

SHOWN = 12  # numbers of a table, before the rest is counted
MOST = 36  # changes


def told(found: Comparison, changed: Sequence[Change], now: RunRecord, failure: str) -> list[str]:
    """Return the result, the noise, and what differs in the environment."""
    counts = found.counts.items()
    lines = [f"{name}: recorded {before}, again {after}" for name, (before, after) in counts]
    lines += [failure] if failure else []
    shown = sorted(found.deciding, key=lambda one: -one.apart)[:SHOWN]
    if shown and now.metrics:
        head = ("number", "recorded", "again", "difference", "noise")
        lines += ["", *table(head, [*map(_row, shown)])]
        if more := len(found.deciding) - len(shown):
            lines.append(f"and {more} more numbers, none further apart in units of noise")
        lines += [*_rest(found), *paragraph("noise", found.noise)]
    return [*lines, "", *_changes(changed)]


def _row(one: Reading) -> tuple[str, ...]:
    """Return the cells of a number."""
    if one.then is None or one.now is None:
        return one.name, _number(one.then), _number(one.now), "", ""
    apart = "0" if one.same else f"{one.now - one.then:+.3g}"
    return one.name, _number(one.then), _number(one.now), apart, f"{one.noise:.3g}"


def _number(value: float | None) -> str:
    """Return a number as exactly as float32 has it."""
    return "none" if value is None else f"{value:.9g}"


def _rest(found: Comparison) -> list[str]:
    """Return a line on the numbers that are in no table."""
    every = [*found.deciding, *found.others]
    same = sum(one.same for one in every)
    lines = [f"{same} of {len(every)} numbers of the record are the same to the last bit"]
    beyond = [one for one in found.others if not one.within]
    if beyond:
        names = ", ".join(one.name for one in beyond[:SHOWN])
        more = f" and {len(beyond) - SHOWN} more" if len(beyond) > SHOWN else ""
        lines.append(f"further apart than noise, though no claim is judged by them: {names}{more}")
    return lines


def _changes(changed: Sequence[Change]) -> list[str]:
    """Return the table of what differs, and a line on what was not recorded."""
    known = [one for one in changed if one.then != UNKNOWN]
    unknown = [one.what for one in changed if one.then == UNKNOWN and not _of_code(one)]
    if modules := sum(one.then == UNKNOWN and _of_code(one) for one in changed):
        unknown.append(f"the code of {modules} module{'s' if modules > 1 else ''}")
    lines = ["nothing that was recorded of the environment differs"]
    if known:
        head = ("differs in the environment", "recorded, and again")
        lines = table(head, [*map(_change, known[:MOST])])
        lines += [f"and {len(known) - MOST} more"] if known[MOST:] else []
    return [*lines, *([f"not recorded then: {', '.join(unknown)}"] if unknown else [])]


def _change(change: Change) -> tuple[str, str]:
    """Return the cells of what differs."""
    return _short(change.what), f"{_short(change.then)} -> {_short(change.now)}"


def _of_code(change: Change) -> bool:
    return change.what.startswith(CODE)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
