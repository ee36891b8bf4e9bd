"""Controls bind: a claim whose control fails is inconclusive, whatever its own runs say."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from moebench.claims import Claim, Word
from moebench.verdict.outcome import Verdict

# A null control that fails undoes what was found, a positive one what was not found; and a test
# that finds what is not there, or does not find what is, is no test.
FAILED = Word.FAILED


def bound(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts, in their order, with what the controls of each claim came to."""
    words = {verdict.claim: verdict.verdict for verdict in verdicts}
    return [
        _bound(verdict, {c.key: words[c.key] for c in claims if c.control_of == claim.key}, claim)
        for claim, verdict in zip(claims, verdicts, strict=True)
    ]


def _bound(verdict: Verdict, controls: Mapping[str, Word], claim: Claim) -> Verdict:
    """Return a verdict with its controls, which may undo it."""
    if not controls:
        return replace(verdict, controls={"none": claim.uncontrolled} if claim.uncontrolled else {})
    listed = replace(verdict, controls={key: str(word) for key, word in controls.items()})
    failed = [key for key, word in controls.items() if word is FAILED]
    if failed and verdict.effect is not None:
        why = f"Control failed: {', '.join(failed)}. Without it: {verdict.verdict}, {verdict.why}"
        return replace(listed, verdict=Word.INCONCLUSIVE, why=why)
    return listed
