"""A claim whose control fails is inconclusive, whatever its own runs say."""

from collections.abc import Sequence
from dataclasses import replace

from moebench.papers.claim import KINDS, OF_CONTROLS, Claim, VerdictLabel
from moebench.verdict.outcome import Verdict


def apply_controls(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts in the same order, each with the results of its controls."""
    labels = {verdict.claim: verdict.verdict for verdict in verdicts}
    return [
        _apply(verdict, [claim for claim in claims if claim.control_of == verdict.claim], labels)
        for verdict in verdicts
    ]


def _apply(verdict: Verdict, controls: Sequence[Claim], labels: dict[str, VerdictLabel]) -> Verdict:
    """Return a verdict with its controls, one of which may overturn it.

    Either kind does: a test is worthless if it finds an effect that does not exist, and also if it
    misses one that does.
    """
    results = {one.key: f"{KINDS[one.expects]} {_result(labels[one.key])}" for one in controls}
    listed = replace(verdict, controls=results)
    failed = [one.key for one in controls if labels[one.key] is VerdictLabel.FAILED]
    if failed and verdict.effect is not None:
        why = f"Control failed: {', '.join(failed)}. Otherwise: {verdict.verdict}, {verdict.why}"
        return replace(listed, verdict=VerdictLabel.INCONCLUSIVE, why=why)
    return listed


def _result(label: VerdictLabel) -> str:
    """Return the result of a control, which may not have been judged."""
    return str(label) if label in OF_CONTROLS else f"control {label}"
