"""Claims about single arms, on constructed runs with an obvious answer."""

from math import inf
from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run, states, verdict_of
from moebench.verdict import Verdict
from reproductions.jacobs_1991.judging import Bound, ShareOfRuns, WithinBounds
from reproductions.jacobs_1991.testing import AT_5, JUDGED, runs

SHARE = ShareOfRuns(quantity="active", low=2, high=3, least=0.96, under={"": ("a",)}, **AT_5)


@pytest.mark.parametrize(
    ("outside", "word"),
    [
        (0, VerdictLabel.REPRODUCED),
        (2, VerdictLabel.INCONCLUSIVE),
        (10, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_share_of_runs(outside: int, word: VerdictLabel) -> None:
    records = runs("a", active=2.5)
    for record in [one for one in records if one.seed in JUDGED][:outside]:
        record.metrics["step_5/active"] = 4.0
    found = verdict_of(SHARE, records)
    assert (found.verdict, found.effect) == (word, pytest.approx(1 - outside / 25))


def test_share_of_runs_without_steps() -> None:
    records = [run("a", seed, metrics={"lead": float(seed % 10)}) for seed in range(20)]
    test = ShareOfRuns(quantity="lead", low=1, least=0.9, under={"": ("a",)}, rules=())
    found = verdict_of(test, records)
    assert (found.verdict, found.effect) == (VerdictLabel.REPRODUCED, pytest.approx(0.9))


def test_within_bounds() -> None:
    records = [*runs("a", **{"accuracy/train": 0.6}), *runs("b", **{"accuracy/train": 0.9})]

    def found(lead: Bound, side: Bound, **more: Any) -> Verdict:
        one = {"quantity": "accuracy/train", "under": {"": (lead,)}, "sides": (side,)}
        return verdict_of(WithinBounds(**one, **AT_5, **more), records)

    right = found(Bound("a", high=0.75), Bound("b", low=0.85))
    assert (states(right), right.verdict) == (["holds", "holds"], VerdictLabel.REPRODUCED)
    assert right.effect == pytest.approx(0.6, abs=1e-3)
    half = found(Bound("a", high=0.75), Bound("b", low=0.95))
    assert (states(half), half.verdict) == (["holds", "refuted"], VerdictLabel.PARTIAL)
    assert (
        found(Bound("a", low=0.55, high=0.65), Bound("b", low=0.85)).verdict
        is VerdictLabel.REPRODUCED
    )
    assert found(Bound("b", high=0.75), Bound("a", low=0.85)).verdict is VerdictLabel.NOT_REPRODUCED
    small = found(Bound("a", high=0.61), Bound("b", low=0.85), margin=0.1)
    assert small.verdict is VerdictLabel.NOT_REPRODUCED
    assert "too small to count" in small.why


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: WithinBounds(quantity="x", under={"": (Bound("a"),)}), "needs a bound"),
        (
            lambda: WithinBounds(quantity="x", under={"": (Bound("a", inf, 1.0),)}),
            "low must be below high",
        ),
        (lambda: ShareOfRuns(quantity="x", low=1, least=2, under={"": ("a",)}), "least=2"),
        (
            lambda: ShareOfRuns(quantity="x", low=3, high=2, least=1, under={"": ("a",)}),
            "not a range",
        ),
    ],
)
def test_invalid_fields_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
