"""Controls bind: a claim whose control fails is inconclusive, whatever its own runs say."""

from collections.abc import Sequence
from dataclasses import replace

from moebench.papers.claim import KINDS, OF_CONTROLS, Claim, VerdictLabel
from moebench.verdict.outcome import Verdict


def bound(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts, in their order, with what the controls of each claim came to."""
    words = {verdict.claim: verdict.verdict for verdict in verdicts}
    return [
        _bound(verdict, [claim for claim in claims if claim.control_of == verdict.claim], words)
        for verdict in verdicts
    ]


def _bound(verdict: Verdict, controls: Sequence[Claim], words: dict[str, VerdictLabel]) -> Verdict:
    """Return a verdict with its controls, which may undo it.

    It does not matter which kind failed: a test that finds what is not there, or does not find what
    is, is no test.
    """
    told = {one.key: f"{KINDS[one.expects]} {_told(words[one.key])}" for one in controls}
    listed = replace(verdict, controls=told)
    failed = [one.key for one in controls if words[one.key] is VerdictLabel.FAILED]
    if failed and verdict.effect is not None:
        why = f"Control failed: {', '.join(failed)}. Without it: {verdict.verdict}, {verdict.why}"
        return replace(listed, verdict=VerdictLabel.INCONCLUSIVE, why=why)
    return listed


def _told(word: VerdictLabel) -> str:
    """Return the word of a control, which may not have been judged."""
    return str(word) if word in OF_CONTROLS else f"control {word}"
