"""The paper's own tests, in worlds made for them."""

from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.testing.verdicts import NOISE, run, verdict_of
from moebench.verdict import Verdict
from reproductions.gshard_2020.judging import BothHelp, ShrinkingGains, SublinearTime

GRID = {"few": (8, 2), "many": (128, 2), "few_deep": (8, 6), "many_deep": (128, 6)}
BOTH = BothHelp(grid=GRID, order=("many_deep", "many", "few_deep", "few"), margin=0.01)


def around(**means: float) -> list[RunRecord]:
    """Five seeds an arm, a hundredth of the usual noise around these losses."""
    return [
        run(arm, seed, mean + (0.1 + 0.01 * place) * noise)
        for place, (arm, mean) in enumerate(means.items())
        for seed, noise in enumerate(NOISE)
    ]


def both(few: float, many: float, few_deep: float, many_deep: float) -> Verdict:
    losses = {"few": few, "many": many, "few_deep": few_deep, "many_deep": many_deep}
    return verdict_of(BOTH, around(**losses))


def test_experts_and_depth() -> None:
    found = both(3.0, 2.8, 2.9, 2.6)
    assert found.verdict is VerdictLabel.REPRODUCED
    # Falls of 0.1 and 0.2 over three times the depth, nearer to failing than those of experts.
    assert found.effect == pytest.approx(-0.15, abs=0.001)
    assert "2 to 6 layers" in found.why
    # Where depth gains far more: falls of 0.2 and 0.3 over two steps of four times the experts.
    found = both(3.0, 2.8, 2.0, 1.7)
    assert found.effect == pytest.approx(-0.125, abs=0.001)
    assert "8 to 128 experts" in found.why


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((3.0, 2.8, 2.7, 2.6), VerdictLabel.PARTIAL),  # both help, but depth more
        ((3.0, 2.8, 3.0, 2.8), VerdictLabel.NOT_REPRODUCED),  # depth does not
        ((3.0, 3.0, 2.9, 2.9), VerdictLabel.NOT_REPRODUCED),  # experts do not
        ((2.6, 2.9, 2.8, 3.0), VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_experts_and_depth_must_both_help(
    losses: tuple[float, float, float, float], word: VerdictLabel
) -> None:
    assert both(*losses).verdict is word


SHRINKING = ShrinkingGains(row=("a", "b", "c"), margin=0.01)


@pytest.mark.parametrize(
    ("losses", "word", "effect"),
    [
        ((3.0, 2.7, 2.6), VerdictLabel.REPRODUCED, 0.2),
        ((3.0, 2.7, 2.8), VerdictLabel.PARTIAL, 0.4),  # the second is a loss
        ((3.0, 2.8, 2.6), VerdictLabel.NOT_REPRODUCED, 0.0),
        ((3.0, 2.9, 2.6), VerdictLabel.NOT_REPRODUCED, -0.2),
    ],
)
def test_gains_that_shrink(
    losses: tuple[float, float, float], word: VerdictLabel, effect: float
) -> None:
    found = verdict_of(SHRINKING, around(**dict(zip("abc", losses, strict=True))))
    assert found.verdict is word
    assert found.effect == pytest.approx(effect, abs=0.002)


@pytest.mark.parametrize(
    ("seconds", "word"),
    [(2.0, VerdictLabel.REPRODUCED), (8.0, VerdictLabel.NOT_REPRODUCED)],
)
def test_time_grows_by_less_than_the_root_of_the_size(seconds: float, word: VerdictLabel) -> None:
    records = [
        run(arm, seed, params_total=size, tokens_per_second=10 / (time + 0.01 * noise))
        for arm, size, time in (("small", 40, 1.0), ("large", 640, seconds))
        for seed, noise in enumerate(NOISE)
    ]
    found = verdict_of(SublinearTime(small="small", large="large"), records)
    assert found.verdict is word
    assert found.measured["large"]["times larger"] == pytest.approx(16)
    assert found.measured["large"]["times slower"] == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (BothHelp, {"grid": {"a": (8, 2), "b": (128, 6)}}, "in all combinations"),
        (BothHelp, {"grid": {"a": (8, 2), "b": (128, 2)}}, "two or more of each"),
        (ShrinkingGains, {"row": ("a", "b")}, "needs three arms"),
        (BothHelp, {"grid": GRID, "order": ("few", "many")}, "must have the arms of the grid"),
    ],
)
def test_invalid_fields_are_refused(
    kind: type[ClaimTest], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**fields)
