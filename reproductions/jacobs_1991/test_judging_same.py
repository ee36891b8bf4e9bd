"""The claim that several systems end equally accurate, on constructed runs."""

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import states, verdict_of
from reproductions.jacobs_1991.judging import SameAccuracy
from reproductions.jacobs_1991.testing import AT_5, runs

TEST = SameAccuracy(under={"": ("a", "b")}, low=0.85, high=0.95, margin=0.03, **AT_5)


def accurate(arm: str, test: float, train: float) -> list[RunRecord]:
    return runs(arm, **{"accuracy/test": test, "accuracy/train": train})


@pytest.mark.parametrize(
    ("a", "b", "found", "word"),
    [
        (0.90, 0.91, ["holds", "holds"], VerdictLabel.REPRODUCED),
        (0.90, 0.945, ["refuted", "holds"], VerdictLabel.NOT_REPRODUCED),
        (0.97, 0.98, ["holds", "refuted"], VerdictLabel.PARTIAL),
    ],
)
def test_same_accuracy(a: float, b: float, found: list[str], word: VerdictLabel) -> None:
    verdict = verdict_of(TEST, accurate("a", a, a) + accurate("b", b, b))
    assert (states(verdict), verdict.verdict) == (found, word)


def test_equal_on_one_split_is_not_equal() -> None:
    found = verdict_of(TEST, accurate("a", 0.90, 0.90) + accurate("b", 0.90, 0.94))
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert "a and b on train data" in found.why


def test_invalid_arms_and_ranges_are_refused() -> None:
    with pytest.raises(ValueError, match="each choice needs two arms"):
        SameAccuracy(under={"": ("a",)}, low=0.8, high=0.9)
    with pytest.raises(ValueError, match="not a range"):
        SameAccuracy(under={"": ("a", "b")}, low=0.9, high=0.8)
