"""The paper's own tests, in worlds made for them."""

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import NOISE, run, verdict_of
from reproductions.glam_2021.judging import BestInside, LowerInEach

EACH = LowerInEach(against={"a": "b", "c": "d"}, margin=0.01)
INSIDE = BestInside(sizes={"a": 2, "b": 8, "c": 32, "d": 128}, margin=0.01)


def around(*means: float) -> list[RunRecord]:
    """Five seeds of arms a, b, c and d around these losses, each with a spread of its own."""
    return [
        run(arm, seed, mean + (0.1 + 0.02 * place) * noise)
        for place, (arm, mean) in enumerate(zip("abcd", means, strict=True))
        for seed, noise in enumerate(NOISE)
    ]


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((2.0, 2.1, 1.5, 1.6), VerdictLabel.REPRODUCED),
        ((2.0, 2.1, 1.5, 1.5), VerdictLabel.NOT_REPRODUCED),  # no gain at one size
        ((2.0, 2.1, 1.6, 1.5), VerdictLabel.NOT_REPRODUCED),
        ((2.0, 2.001, 1.5, 1.6), VerdictLabel.NOT_REPRODUCED),  # too small to count
    ],
)
def test_every_pair_must_gain(losses: tuple[float, ...], word: VerdictLabel) -> None:
    assert verdict_of(EACH, around(*losses)).verdict is word


def test_a_single_pair_is_judged_by_its_difference() -> None:
    found = verdict_of(LowerInEach(against={"a": "b"}, margin=0.01), around(2.0, 2.1, 0.0, 0.0))
    assert found.verdict is VerdictLabel.REPRODUCED
    assert found.effect == pytest.approx(-0.1, abs=0.001)
    assert EACH.pairs == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((3.0, 2.8, 2.7, 2.9), VerdictLabel.REPRODUCED),
        ((3.0, 2.8, 2.7, 2.6), VerdictLabel.NOT_REPRODUCED),  # falls to the end
        ((2.6, 2.7, 2.8, 3.0), VerdictLabel.NOT_REPRODUCED),  # rises from the start
        ((2.0, 2.0, 2.0, 2.0), VerdictLabel.NOT_REPRODUCED),
        ((2.0, 1.9, 2.4, 2.0), VerdictLabel.PARTIAL),  # one is best, but the curve bends down
    ],
)
def test_the_best_size_lies_inside(losses: tuple[float, ...], word: VerdictLabel) -> None:
    assert verdict_of(INSIDE, around(*losses)).verdict is word


@pytest.mark.parametrize(
    "sizes", [{"a": 2, "b": 8}, {"a": 2, "b": 8, "c": 4}, {"a": 0, "b": 1, "c": 2}]
)
def test_sizes_that_have_no_inside_are_refused(sizes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="three or more increasing sizes above 0"):
        BestInside(sizes=sizes)
